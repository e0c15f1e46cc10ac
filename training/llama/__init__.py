"""The language model: a small LLaMA that answers as the assistant of the Harbour Kitchen."""
