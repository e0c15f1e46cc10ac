"""Word errors by Levenshtein distance."""


def word_errors(wanted, heard):
    """Substitutions + deletions + insertions between two sentences."""
    wanted, heard = wanted.split(), heard.split()
    row = list(range(len(heard) + 1))
    for i, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def missed_words(wanted, heard):
    """-> for each wanted word, whether the alignment found it"""
    wanted, heard = wanted.split(), heard.split()
    n, m = len(wanted), len(heard)
    table = [[i + j if i * j == 0 else 0 for j in range(m + 1)] for i in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (wanted[i - 1] != heard[j - 1]))
    found, i, j = [False] * n, n, m
    while i > 0 and j > 0:
        if table[i][j] == table[i - 1][j - 1] + (wanted[i - 1] != heard[j - 1]):
            found[i - 1] = wanted[i - 1] == heard[j - 1]
            i, j = i - 1, j - 1
        elif table[i][j] == table[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return [not f for f in found]
