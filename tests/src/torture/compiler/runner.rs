// The native side of generated programs. Reads one call a line, `contract method arg ..`, and writes one outcome a line.

fn main() {
    use neo_framework::chain::Chain;
    let chain = Chain::new();
    let contract = |at: usize| {
        let mut bytes = [1u8; 20];
        bytes[..8].copy_from_slice(&(at as u64).to_le_bytes());
        neo_framework::Hash160::from_bytes(neo_framework::Bytes::from(bytes)).unwrap()
    };
    for (at, info) in CONTRACTS.iter().enumerate() {
        chain.register(&contract(at), *info);
    }
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).unwrap() > 0 {
        let mut words = line.split_whitespace();
        let at = words.next().unwrap().parse().unwrap();
        let method = words.next().unwrap();
        let args = words.map(argument).collect();
        let outcome = chain.test_invoke(&[], &contract(at), method, args);
        match &outcome.exception {
            Some(message) => println!("!{}", message.replace('\n', " ")),
            None => println!("{}", shown(&outcome.result())),
        }
        line.clear();
    }
}

fn argument(word: &str) -> neo_framework::Item {
    use neo_framework::{Int, Item};
    let bytes: Vec<u8> = (1..word.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&word[at..at + 2], 16).unwrap())
        .collect();
    match &word[..1] {
        "n" => Item::Null,
        "t" => Item::Boolean(true),
        "f" => Item::Boolean(false),
        "i" => Item::Integer(Int::from_le_bytes(&bytes).unwrap()),
        _ => Item::bytes(&bytes),
    }
}

fn shown(item: &neo_framework::Item) -> String {
    use neo_framework::Item;
    let digits = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let list = |items: &[Item]| items.iter().map(shown).collect::<Vec<_>>().join(",");
    match item {
        Item::Null => "null".into(),
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::ByteString(value) => format!("\"{}\"", digits(value.as_slice())),
        Item::Buffer(value) => format!("buffer\"{}\"", digits(&value.borrow())),
        Item::Array(items) => format!("[{}]", list(&items.borrow())),
        Item::Struct(items) => format!("struct[{}]", list(&items.borrow())),
        Item::Map(entries) => {
            let pairs = entries.borrow();
            let pairs = pairs.iter().map(|(k, v)| format!("{}:{}", shown(k), shown(v)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        Item::Iterator(_) => "iterator".into(),
    }
}
