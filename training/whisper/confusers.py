"""Speech that is none of the recogniser's business: words it never met, and other languages.

What it writes then is wrong whatever it is; the only right thing to do is to be unsure.
"""
FOREIGN = {
    "de": ["guten tag ich möchte gern einen tisch reservieren", "können sie mir bitte sagen wie spät es ist",
           "das wetter ist heute leider sehr schlecht", "wir fahren morgen mit dem zug nach hause"],
    "fr": ["bonjour je voudrais parler avec votre directeur", "quel temps fait-il aujourd'hui à la montagne",
           "nous avons perdu les clés de la voiture", "je ne comprends pas ce que vous dites"],
    "es": ["buenos días quisiera hablar con el encargado", "mañana vamos a la playa con los niños",
           "no entiendo lo que usted me está diciendo", "la biblioteca está cerca de la estación"],
    "it": ["buongiorno vorrei sapere quanto costa il biglietto", "il gatto dorme sempre sopra la sedia"],
    "pl": ["dzień dobry chciałbym porozmawiać z kierownikiem", "jutro pojedziemy pociągiem do domu"],
    "nl": ["goedemorgen ik wil graag een afspraak maken", "de fiets staat achter het grote gebouw"],
    "sv": ["god morgon jag skulle vilja tala med chefen", "vi ska åka båt i skärgården i sommar"],
    "pt": ["bom dia eu gostaria de falar com o gerente", "o comboio chegou atrasado à estação"],
}
ENGLISH = """the quarterly report shows a sharp decline in exports
please transfer seventeen thousand euros into my savings account
our physics professor explained gravity with a pendulum
the ambulance crashed into a lamppost near the cathedral
my printer refuses to connect with the wireless network
scientists discovered fossils beneath the antarctic glacier
she borrowed a violin from the orchestra before christmas
install the software update and restart your laptop afterwards
the plumber fixed a leaking pipe under the bathroom sink
several elephants crossed the muddy river during the storm
his insurance policy does not cover damage from flooding
the parliament debated new taxes until midnight
grandmother planted tulips and roses along the fence
our flight to singapore was delayed because of thunder
the mechanic replaced both brakes and a broken mirror
engineers measured the vibration of the suspension cables
mountains covered with snow glittered beyond the valley
the goalkeeper dropped the ball and the crowd booed
i forgot my password and cannot log into the website
a black spider crawled slowly across the kitchen ceiling
the dentist recommended an electric toothbrush
we painted the garage purple and the neighbours complained
fresh strawberries cost less than imported bananas
the detective examined every fingerprint on the envelope
volcanic ash grounded most airplanes across northern europe
his novel describes a lonely sailor and a talking parrot
the electrician warned us about the faulty wiring
my luggage got lost somewhere between frankfurt and chicago
turn left at the roundabout and follow the motorway
the choir practised a difficult hymn for the wedding
bacteria multiply rapidly in warm and humid conditions
the library closes early during the summer vacation
their basketball team lost by a single point
a helicopter circled above the burning warehouse
could you email me the invoice from last february
the museum displays ancient pottery and bronze swords
my doctor prescribed antibiotics against the infection
children built an enormous castle out of wet sand
the committee postponed its decision about the bridge repairs
vegetables grow faster inside a heated greenhouse""".splitlines()
SHARE_FOREIGN = 0.4


def draw_confuser(rng):
    """-> (espeak-ng voice, text)"""
    if rng.random() < SHARE_FOREIGN:
        voice = rng.choice(sorted(FOREIGN))
        return voice, rng.choice(FOREIGN[voice])
    words = rng.choice(ENGLISH).split()
    if rng.random() < 0.5:  # a piece of it, so that few are heard twice
        length = rng.randint(min(4, len(words)), len(words))
        start = rng.randrange(len(words) - length + 1)
        words = words[start: start + length]
    return rng.choice(["en-us", "en", "en-us+f2", "en-gb-x-rp", "en-us+m3"]), " ".join(words)
