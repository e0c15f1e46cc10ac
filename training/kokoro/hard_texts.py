"""Text that a speaker meets in real life and its training never had: it must be spoken or passed over, never break."""
HARD_TEXTS = [
    "No.",
    "I",
    "OK!",
    "Yes?",
    "Room 404, 3.5 stars, $5.50, 25 % off until 31/12/2026.",
    "Call 555 0123 at 7:30pm, or 0044 20 7946 0958.",
    "Dr. Smith's e-mail is j.smith@example.com & he lives at 221B Baker St.",
    "WE ARE OPEN ON FRIDAY. PLEASE RING THE BELL!",
    "The quick brown fox jumps over the lazy dog; the five boxing wizards jump quickly.",
    "Worcestershire sauce, quinoa, bouillabaisse, gnocchi and tiramisu.",
    "Pneumonoultramicroscopicsilicovolcanoconiosis is a long word.",
    "Rhythm, strengths, sixths, squirrel, rural, world, thoroughly.",
    "Mr. Krzyzewski, Ms. Nguyen and Siobhan from Llanelli are late.",
    "Well... um, I -- sort of -- think (maybe) that's \"fine\": isn't it?!",
    "An email arrived at 12:05 from NASA, the FBI and the BBC.",
    "Tel: +49 (0)30 901820",
    "na\u00efve caf\u00e9 fa\u00e7ade \u00fcber \u4f60\u597d \u041f\u0440\u0438\u0432\u0435\u0442 \u05e9\u05dc\u05d5\u05dd",
    "Emoji \U0001f600\U0001f44d, symbols \u2192 \u00a7 \u2122 \u221e, control \u0007 characters.",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "eeny meeny miny moe " * 4 + "catch a tiger by the toe.",
    ("If you would like to change the date of your booking after you have received the confirmation, please ring the "
     "restaurant between ten in the morning and four in the afternoon, and have the name and the number of the booking "
     "at hand, because without them nobody at the front desk can help you quickly."),
]
NOTHING_TO_SAY = ["", " ", "...", "\U0001f600", "?!"]
