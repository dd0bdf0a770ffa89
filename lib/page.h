/*
 * page: a page for people that is built into a program, and what a browser is told with
 * every reply. A page is one file that loads nothing: lib/page/assemble makes it of its
 * parts when the program is built, and names the hashes of its script and its style in a
 * policy (https://www.w3.org/TR/CSP3/), so that a browser runs nothing else in it,
 * whatever a name from outside looks like. Stateless.
 */
#ifndef LIB_PAGE_H
#define LIB_PAGE_H

/* Defines `const char NAME[]`, the text of the file PATH.html, and NAME_policy, that of
 * PATH.csp. The paths are those of the build (Makefile). */
#define PAGE_EMBED(name, path)                 \
    extern const char name[], name##_policy[]; \
    PAGE_EMBED_TEXT(#name, path ".html");      \
    PAGE_EMBED_TEXT(#name "_policy", path ".csp")
#define PAGE_EMBED_TEXT(symbol, file)                                 \
    __asm__(".pushsection .rodata\n.global " symbol "\n" symbol ":\n" \
            ".incbin \"" file "\"\n.byte 0\n.popsection\n")

struct page_header {
    const char *name, *value;
};

/* Headers of every reply; the last one has no name. */
extern const struct page_header page_headers[];

/* Content-Security-Policy, and what it is for a reply that is no page. */
#define PAGE_POLICY "Content-Security-Policy"
#define PAGE_NO_POLICY "default-src 'none'; frame-ancestors 'none'"

#endif
