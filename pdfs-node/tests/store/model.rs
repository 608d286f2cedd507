//! The store against a model, with restarts, lost indexes and torn tails in between.

use std::{collections::BTreeSet, fs, io::Write as _};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// Several puts at once: numbers into the universe of blocks.
    Put(Vec<usize>),
    Get(usize),
    Restart,
    /// The process died in the middle of a write: garbage behind the last record.
    TornTail(Vec<u8>),
    LoseIndex,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::vec(0..BLOCKS, 1..6).prop_map(Step::Put),
        3 => (0..BLOCKS).prop_map(Step::Get),
        1 => Just(Step::Restart),
        1 => prop::collection::vec(any::<u8>(), 1..300).prop_map(Step::TornTail),
        1 => Just(Step::LoseIndex),
    ]
}

const BLOCKS: usize = 14;

/// Contents of all shapes; some blocks occur in several of them, one occurs twice in one.
fn universe() -> Vec<Sample> {
    let whole = |seed| body(seed, MAX_BODY);
    vec![
        Sample::new(vec![whole(1), whole(2), whole(3), body(4, 1)]),
        Sample::new(vec![whole(2), whole(2), body(5, 1025)]),
        Sample::new(vec![whole(3)]),
        Sample::new(vec![body(5, 1025)]),
        Sample::new(vec![
            whole(6),
            whole(7),
            whole(8),
            whole(1),
            body(9, 100_000),
        ]),
    ]
}

/// Which blocks are held: content and index.
type Model = BTreeSet<(usize, u64)>;

fn places(universe: &[Sample]) -> Vec<(usize, u64)> {
    let indices = |(c, sample): (usize, &Sample)| {
        (0..sample.bodies.len() as u64)
            .map(move |i| (c, i))
            .collect::<Vec<_>>()
    };
    universe.iter().enumerate().flat_map(indices).collect()
}

fn options(dir: &Path) -> Options {
    Options {
        // Three whole blocks a segment: segments change often.
        max_segment_bytes: 800_000,
        queue: 3,
        ..Options::new(dir)
    }
}

fn last_segment(dir: &Path) -> Option<std::path::PathBuf> {
    let files = fs::read_dir(dir.join("segments")).unwrap();
    files.map(|e| e.unwrap().path()).max()
}

async fn check(store: &Store, universe: &[Sample], model: &Model) {
    for (c, sample) in universe.iter().enumerate() {
        let expected: Vec<u64> = model
            .iter()
            .filter(|(of, _)| *of == c)
            .map(|(_, i)| *i)
            .collect();
        assert_eq!(store.held(&sample.content.root, 0, 100).unwrap(), expected);
        let known = store.content(&sample.content.root).unwrap();
        assert_eq!(known, (!expected.is_empty()).then_some(sample.content));
        for index in expected {
            assert_held(store, sample, index).await;
        }
    }
}

async fn run(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let universe = universe();
    let places = places(&universe);
    assert_eq!(places.len(), BLOCKS);
    let mut model = Model::new();
    let (mut store, _) = open_with(options(dir.path()));
    for step in steps {
        match step {
            Step::Put(puts) => {
                let mut waiting = Vec::new();
                for (c, index) in puts.into_iter().map(|n| places[n]) {
                    let new = universe[c].block(index);
                    let store = store.clone();
                    waiting.push(tokio::spawn(async move { store.put(new).await.unwrap() }));
                    model.insert((c, index));
                }
                for put in waiting {
                    put.await.unwrap();
                }
            }
            Step::Get(n) => {
                let (c, index) = places[n];
                let held = store.find(&universe[c].content.root, index).unwrap();
                assert_eq!(held.is_some(), model.contains(&(c, index)));
            }
            Step::Restart | Step::TornTail(_) | Step::LoseIndex => {
                close(store).await;
                let mut torn = 0;
                if let (Step::TornTail(garbage), Some(path)) = (&step, last_segment(dir.path())) {
                    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
                    file.write_all(garbage).unwrap();
                    torn = garbage.len() as u64;
                }
                if matches!(step, Step::LoseIndex) {
                    fs::remove_dir_all(dir.path().join("index")).unwrap();
                }
                let (reopened, recovery) = open_with(options(dir.path()));
                assert_eq!((recovery.torn_bytes, recovery.damaged_bytes), (torn, 0));
                store = reopened;
                check(&store, &universe, &model).await;
            }
        }
    }
    check(&store, &universe, &model).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_store_behaves_as_its_model(steps in prop::collection::vec(step(), 1..25)) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(run(steps));
    }
}
