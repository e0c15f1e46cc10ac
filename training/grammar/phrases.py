"""Carrier phrases of the callers, as tables.

A pair (TRAINED, HELD_OUT) belongs to each intent: the language model never trains on a held-out
phrasing, so that its evaluation can tell recall from understanding.
`{}` is the slot, `{on}` the day with its preposition, `{people}` the party with 'people'.
"""

HELLO = ["", "", "", "", "hello ", "hi ", "hey ", "good morning ", "good evening ", "hello there ", "yes hello ", "hi there ", "um "]
BOOK = (
    ["i would like to book a table", "can i book a table", "i want to make a reservation", "i'd like to reserve a table",
     "could i get a table", "do you have a table free", "i need a table", "can we have a table",
     "i would like to make a booking", "book a table", "i want a table", "is it possible to book a table",
     "could you reserve a table for us", "we would like to come for dinner", "a table please", "table"],
    ["may i reserve a table", "i am calling to book a table"],
)
CANCEL = (
    ["i would like to cancel my booking", "i need to cancel my reservation", "can i cancel my table",
     "please cancel my booking", "i want to cancel", "we can't come so please cancel our table", "cancel my reservation"],
    ["could you cancel our booking", "i have to cancel my table"],
)
YES = (
    ["yes", "yes please", "yeah", "yep", "yes that's right", "that's right", "correct", "that is correct", "sure", "okay",
     "perfect", "yes that's fine", "yes it is", "exactly", "that's fine thank you", "yes that is right", "yes correct"],
    ["yes perfect", "yeah that's correct"],
)
NO = ["no", "no that's wrong", "no that is not right", "nope", "no it's not", "not quite", "that's not correct", "that's wrong"]
NO_MORE = (
    ["no", "no thank you", "no that's all", "that's all", "nothing else", "no that is everything thanks", "no thanks",
     "that's it thank you", "no thanks goodbye", "no thank you goodbye", "that's all thank you goodbye"],
    ["no that's everything", "nothing else thank you"],
)
BYE = (
    ["goodbye", "bye", "bye bye", "thank you goodbye", "thanks bye", "okay thank you bye", "see you then",
     "have a nice day", "thank you very much", "thanks a lot goodbye", "thank you"],
    ["okay goodbye", "thank you bye bye"],
)
REPEAT = ["sorry can you repeat that", "what did you say", "can you say that again", "pardon", "sorry i didn't hear you",
          "could you repeat that please", "i did not understand", "sorry"]
HUMAN = (
    ["can i speak to a person", "i want to talk to someone", "can i talk to the manager",
     "let me speak to a human please", "can you put me through to the manager"],
    ["i want to speak to the manager"],
)
CALLBACK = (
    ["can you call me back", "please call me back", "could someone call me back", "i would like a call back"],
    ["can somebody call me back"],
)
JUNK = ["i like trains", "the weather is nice today", "um", "well you know", "my car is blue", "i don't know",
        "what about the water", "uh", "the", "and the", "in a"]
HOLD = ["hold on", "one moment please", "just a moment", "let me think", "wait a second"]
HELLO_ALONE = ["hello", "hi", "good evening", "hello there", "good morning"]
STILL_THERE = ["hello can you hear me", "are you there", "hello are you still there"]
STILL_HERE = ["yes", "yes i am here", "yes i am still here", "i am here"]
WANTS_MORE = ["yes", "yes please", "yes one more thing", "i have another question", "yes there is"]
CALL_PHONE = (
    ["{}", "{}", "it's {}", "my number is {}", "the number is {}", "yes {}"],
    ["you can reach me on {}"],
)

SLOT = {
    "day": (["{}", "{on}", "{on} please", "i think {on}", "maybe {on}", "{} would be great", "let's say {}",
             "we would like to come {on}", "{} please"],
            ["it would be {on}", "{} please if possible"]),
    "time": (["{}", "at {}", "at {} please", "around {}", "{} please", "{} would be good", "let's say {}", "maybe {}",
              "we can come at {}"],
             ["how about {}", "{} if that is okay"]),
    "party": (["{people}", "for {people}", "{people} please", "we are {people}", "it will be {people}",
               "there will be {people}", "a table for {people}", "it's {people}"],
              ["we will be {people}", "that would be {people}"]),
    "name": (["{}", "my name is {}", "it's {}", "the name is {}", "{} please", "under {}", "i am {}", "this is {}",
              "under the name {}"],
             ["please put it under {}", "you can use the name {}"]),
}
CORRECTION = ["", "no ", "no ", "no sorry ", "sorry ", "actually "]
# a bare number in a correction is a time: party phrases name people ('we are five' speaks for itself)
CHANGE = {
    "day": (["make it {}", "i meant {}", "it should be {}", "no not that day {on} please", "can we do {} instead",
             "{} please"],
            ["could we change it to {}"]),
    "time": (["make it {}", "i said {}", "it should be at {}", "can we come at {} instead", "i meant {}", "at {}"],
             ["could we change it to {}"]),
    "party": (["make it {people}", "we are {people}", "i said {people}", "it should be for {people}",
               "i meant {people}", "for {people}"],
              ["could we change it to {people}"]),
    "name": (["the name is {}", "my name is {}", "i said {}", "the name is wrong it's {}", "i meant {}"],
             ["it should be under {}"]),
}

# topic -> (trained questions, held-out questions, answer)
INFO = {
    "hours": (["what are your opening hours", "when are you open", "what time do you open", "what time do you close",
               "are you open on sunday", "how late are you open", "when do you close tonight", "are you open today",
               "can you tell me your hours", "are you open for lunch"],
              ["what time are you open until", "could you tell me the opening hours"],
              "We are open every day from noon until ten in the evening."),
    "address": (["where are you", "what is your address", "what's the address", "where is the restaurant",
                 "how do i get there", "how do i find you", "can you tell me the address", "which street are you on"],
                ["could you give me your address", "where can i find you"],
                "We are at twenty four Harbour Street, next to the old bridge."),
    "parking": (["is there parking", "do you have a car park", "where can i park", "can i park near you",
                 "is there a car park nearby", "do you have parking"],
                ["where do i park my car"],
                "Yes, there is free parking behind the restaurant."),
    "price": (["how much is the menu", "what does dinner cost", "how much is the set menu", "what are your prices",
               "how expensive is it", "how much does the dinner cost", "what is the price of the menu"],
              ["what does the set menu cost"],
              "The set menu is twenty five pounds per person."),
    "vegan": (["do you have vegetarian food", "do you have vegan dishes", "is there anything vegetarian on the menu",
               "i am a vegetarian is that a problem", "do you have something without meat"],
              ["have you got vegan food"],
              "Yes, we have many vegetarian and vegan dishes."),
    "allergy": (["i have a nut allergy", "do you have gluten free food", "my wife is allergic to nuts",
                 "is there anything without gluten", "one of us has an allergy"],
                ["do you cook without gluten"],
                "No problem, our kitchen can cook without nuts or gluten."),
    "kids": (["can i bring children", "do you have a high chair", "are children welcome", "is there a kids menu",
              "can we bring the kids"],
             ["do you have a menu for children"],
             "Of course, children are welcome and we have high chairs."),
    "dogs": (["can i bring my dog", "are dogs allowed", "is it okay to bring a dog", "do you allow dogs"],
             ["may we bring our dog"],
             "Dogs are welcome on the terrace."),
    "card": (["can i pay by card", "do you take credit cards", "do you take cash", "can i pay with card"],
             ["is it okay to pay by card"],
             "You can pay by card or in cash."),
    "terrace": (["can we sit outside", "do you have a terrace", "is there a table outside", "do you have outdoor seats"],
                ["may we sit outside"],
                "Yes, we have a terrace with a view of the water."),
    "delivery": (["do you deliver", "can i order food to take away", "do you do take away", "can i order a pizza"],
                 ["do you have take away food"],
                 "Sorry, we do not deliver, but you can take food away."),
    "who": (["who are you", "am i talking to a robot", "are you a computer", "are you a real person", "what is your name"],
            ["is this a machine"],
            "I am the automatic assistant of the Harbour Kitchen."),
}
