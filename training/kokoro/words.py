"""Text for the speaker: the assistant's replies, callers' sentences, and general English that covers all phonemes."""
from grammar.sentences import draw_agent_text, draw_caller_sentence

COMMON = (
    "about above across action after again against age agree air all almost alone along already always animal another "
    "answer any apple area arm army around art ask autumn away baby back bad ball bank bar basket bath beach bear beauty "
    "because bed before begin behind believe below bench best better between big bird birth black blood blue board boat "
    "body bone book boring both bottle box boy branch bread breakfast breath brick bridge bright bring broken brother brush "
    "building burn business butter buy cake call camera capital car careful carry case castle catch cause center chair "
    "chance change cheap cheese cherry chicken child choice choose church circle city class clean clear clever climb clock "
    "close cloth cloud coach coat coffee coin cold color comfort common company computer condition cook copper corner cotton "
    "cough country course cousin cover cow cream credit crime cross crowd cry cup curtain cushion custom damage danger dark "
    "daughter deal dear decide deep degree deliver design desk detail different difficult dinner direction discover disease "
    "distance dog doctor door doubt down dream dress drink drive dry dust each eager early earth east easy edge education "
    "effect egg either electric end engine enjoy enough entire equal evening event ever every example exchange excuse "
    "exercise exist expect expert eye face fact fair faith fall false family famous far farm fashion father fear feather "
    "feeling female fiction field fight figure film finger finish fire first fish flag flame flat flight floor flower fly "
    "fold food foolish foot force forest forget forgive fork form forward free freedom frequent fresh friend front fruit "
    "full future garage garden gather general gentle girl give glass glove go goat gold good government grain grass gray "
    "great green group grow guide gun hair hammer hand happy hard hat hate have head healthy hear heart heat heavy help high "
    "history hole holiday hollow home honey hope horn horse hospital hour house how humor hundred ice idea ill important "
    "impulse increase industry ink insect instrument insurance interest invention iron island jelly jewel join journey joy "
    "judge juice jump keep kettle key kick kind kiss kitchen knee knife knot knowledge language large last late laugh law "
    "lead leaf learning leather left leg leisure lemon letter level library lift light limit line lip liquid list listen "
    "little living local lock long look loose loss loud love low luck machine make male manager map mark market married "
    "mass match material may meal measure meat medical meeting memory metal middle military milk million mind mine minute "
    "mist mixed money monkey month moon morning mother motion mountain mouth move much muscle music nail name narrow nation "
    "natural near necessary neck need needle nerve network never new news night noise normal north nose note number nut "
    "object observation ocean offer office oil old open operation opinion opposite orange order organization ornament other "
    "oven over owner page pain paint paper parallel parcel part past paste payment peace pen pencil person photograph "
    "physical picture pig pin pipe place plane plant plate play please pleasure plow pocket point poison police polish "
    "political poor porter position possible pot potato powder power present price print prison private probable process "
    "produce profit property prose protest public pull pump punishment purple purpose push put quality question quick quiet "
    "quite rail rain range rat rate ray reaction reading ready reason receipt record red regret regular relation religion "
    "representative request respect responsible rest reward rhythm rice right ring river road rod roll roof room root rough "
    "round rub rule run sad safe sail salt same sand say scale school science scissors screw sea seat second secret "
    "secretary see seed selection self send sense separate serious servant seven shade shake shame sharp sheep shelf ship "
    "shirt shock shoe short shut side sign silk silver simple sister size skin skirt sky sleep slip slope slow small smash "
    "smell smile smoke smooth snake sneeze snow soap society sock soft solid some song sort sound soup south space spade "
    "special sponge spoon spring square stage stamp star start statement station steam steel stem step stick sticky stiff "
    "still stitch stocking stomach stone stop store story straight strange street stretch strong structure substance such "
    "sudden sugar suggestion summer sun support surprise sweet swim system table tail talk tall taste tax teaching tendency "
    "test theory thick thin thing thought thread throat through thumb thunder ticket tight time tin tired toe together "
    "tomorrow tongue tooth top touch town trade train transport tray tree trick trouble trousers true turn twist umbrella "
    "under unit use usual value verse very vessel view violent vision voice waiting walk wall war warm wash waste watch "
    "water wave wax way weather week weight well west wet wheel when where whip whistle white who why wide will wind window "
    "wine wing winter wire wise with woman wood wool word work worm worry wound writing wrong year yellow yesterday young "
    "zebra zero zone twenty thirty forty fifty sixty seventy eighty ninety eleven thirteen sixteen thousand monday").split()
ONSETS = "b c d f g h j k l m n p r s t v w y z ch sh th st tr pl br cl gr fl sp sk dr".split() + [""]
NUCLEI = "a e i o u ee oo ai oa ou ar er or aw oy".split()
CODAS = "b d f g k l m n p s t v z ch sh th ng nd nt st lk mp ck".split() + ["", "", ""]
ENDINGS = [".", ".", ".", "?", "!"]


def draw_text(rng):
    x = rng.random()
    if x < 0.42:
        return draw_agent_text(rng)
    if x < 0.66:
        return draw_caller_sentence(rng).capitalize() + rng.choice(ENDINGS[:4])
    if x < 0.9:
        return join(rng, [rng.choice(COMMON) for _ in range(rng.randint(3, 9))])
    return join(rng, [draw_pseudo_word(rng) if rng.random() < 0.6 else rng.choice(COMMON) for _ in range(rng.randint(2, 6))])


def draw_pseudo_word(rng):
    return "".join(rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS) for _ in range(rng.choice([1, 2, 2])))


def join(rng, words):
    """Words as a sentence, with a comma now and then."""
    commas = [w + rng.choice([",", ",", ";", ":"]) if rng.random() < 0.12 else w for w in words[:-1]]
    return " ".join(commas + [words[-1]]).capitalize() + rng.choice(ENDINGS)
