//! How deeply source may be nested. Everything that reads it (syn first of all) goes as deep as the source does, so what
//! would use up the stack is refused before it is read.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

/// Brackets around a place, and operators, keywords and path steps before it in the same statement.
const MAX_DEPTH: usize = 250;

/// A bracket's content on the way through it.
struct Level {
    tokens: proc_macro2::token_stream::IntoIter,
    /// Depth of the bracket itself.
    base: usize,
    /// What can nest since the last `;` or item, and how much of it a `,` does not end (`<` and `|`).
    run: usize,
    open: usize,
    /// The last token ends an operand, so that a sign after it stands between two.
    operand: bool,
    /// The last token is the content of `{}`, behind which a new statement may begin.
    braced: bool,
    /// A sign that the next may continue.
    sign: Option<char>,
}

impl Level {
    fn new(tokens: TokenStream, base: usize) -> Level {
        Level {
            tokens: tokens.into_iter(),
            base,
            run: 0,
            open: 0,
            operand: false,
            braced: false,
            sign: None,
        }
    }

    fn restart(&mut self) {
        self.run = 0;
        self.open = 0;
    }

    fn group(&mut self, group: &Group) -> Level {
        self.sign = None;
        self.operand = true;
        self.braced = group.delimiter() == Delimiter::Brace;
        Level::new(group.stream(), self.base + self.run + 1)
    }

    fn word(&mut self, word: &str) {
        let goes_on = matches!(word, "else" | "as");
        if std::mem::take(&mut self.braced) && !goes_on {
            self.restart();
        }
        self.sign = None;
        self.operand = !KEYWORDS.contains(&word);
        self.run += usize::from(!self.operand);
    }

    fn punct(&mut self, c: char, spacing: Spacing) {
        let braced = std::mem::take(&mut self.braced);
        let before = self.sign.take();
        let joint = (spacing == Spacing::Joint).then_some(c);
        match (before, c) {
            (Some('='), '>') => {
                self.restart();
                self.operand = false;
            }
            // The rest of an operator of several signs.
            (Some(a), b) if PAIRS.contains(&(a, b)) => {
                self.sign = joint.filter(|_| a == b).map(|_| DOUBLED);
            }
            (_, ';') => {
                self.restart();
                self.operand = false;
            }
            (_, ',') => {
                self.run = self.open;
                self.operand = false;
            }
            // An attribute, or a line of documentation.
            (_, '#') => {
                if braced {
                    self.restart();
                }
                self.sign = joint;
                self.operand = false;
            }
            (_, ':') => {
                self.sign = joint;
                self.run += usize::from(joint.is_some());
                self.operand = false;
            }
            _ => {
                self.run += 1;
                self.open += usize::from(matches!(c, '<' | '|'));
                if c == '>' {
                    self.open = self.open.saturating_sub(1);
                }
                // Only a sign between operands has several characters: `&&x` are two references.
                self.sign = joint.filter(|_| self.operand);
                self.operand = c == '?';
            }
        }
    }
}

/// Stands for two equal signs, which a `=` may follow.
const DOUBLED: char = '2';

const PAIRS: [(char, char); 24] = [
    ('#', '!'),
    (DOUBLED, '='),
    (':', ':'),
    ('&', '&'),
    ('|', '|'),
    ('=', '='),
    ('!', '='),
    ('<', '='),
    ('>', '='),
    ('<', '<'),
    ('>', '>'),
    ('+', '='),
    ('-', '='),
    ('*', '='),
    ('/', '='),
    ('%', '='),
    ('^', '='),
    ('&', '='),
    ('|', '='),
    ('-', '>'),
    ('=', '>'),
    ('.', '.'),
    ('.', '='),
    ('<', '-'),
];

const KEYWORDS: [&str; 35] = [
    "as", "async", "await", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "static", "struct", "trait", "type", "unsafe", "use", "where", "while",
    "yield",
];

/// The first place that is nested too deeply.
pub(crate) fn too_deep(tokens: TokenStream) -> Option<Span> {
    let mut levels = vec![Level::new(tokens, 0)];
    while let Some(level) = levels.last_mut() {
        let Some(token) = level.tokens.next() else {
            levels.pop();
            continue;
        };
        let span = token.span();
        let inner = match &token {
            TokenTree::Group(group) => Some(level.group(group)),
            TokenTree::Ident(word) => {
                level.word(&word.to_string());
                None
            }
            TokenTree::Punct(p) => {
                level.punct(p.as_char(), p.spacing());
                None
            }
            TokenTree::Literal(_) => {
                level.word("");
                None
            }
        };
        let depth = inner.as_ref().map_or(level.base + level.run, |l| l.base);
        if depth > MAX_DEPTH {
            return Some(span);
        }
        levels.extend(inner);
    }
    None
}
