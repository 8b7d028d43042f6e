// Functions over text: a filter, a flat_map, a scalar. examples/guests/go/text has the same in Go.
#include "wasmill.h"

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80); }

#define LINE(COLUMN) COLUMN(utf8, text)

// long_line keeps lines of more than 20 bytes.
WM_FILTER(long_line, "lines of more than 20 bytes", LINE) {
    return in->text.size > 20;
}

// words makes a row of every word.
#define WORD(COLUMN) COLUMN(utf8, word, "utf8!") COLUMN(int32, position, "int32!")
WM_FLAT_MAP(words, "the words of a line", LINE, WORD) {
    size_t start = 0;
    for (size_t i = 0; i <= in->text.size; i++) {
        if (i < in->text.size && letter(in->text.data[i])) continue;
        if (i > start) {
            out->word = (wm_str){in->text.data + start, i - start};
            emit(out);
            out->position++;
        }
        start = i + 1;
    }
    return WM_OK;
}

// slug turns a title into what fits a URL.
#define SLUG(COLUMN) COLUMN(utf8, slug)
WM_SCALAR(slug, "a title as part of a URL", LINE, SLUG) {
    char *slug = wm_scratch(in->text.size);
    size_t n = 0;
    for (size_t i = 0; i < in->text.size; i++) {
        char c = in->text.data[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) slug[n++] = c;
        else if (n && slug[n - 1] != '-') slug[n++] = '-';
    }
    while (n && slug[n - 1] == '-') n--;
    if (!n) return wm_fail("no letter or digit in \"%.*s\"", WM_STR(in->text));
    out->slug = (wm_str){slug, n};
    return WM_OK;
}

WM_MODULE("text", &long_line, &words, &slug)
