use super::*;

#[derive(Debug, Clone, PartialEq)]
struct Thing {
    uid: &'static str,
    value: u32,
}

impl Kept for Thing {
    fn uid(&self) -> Option<&str> {
        Some(self.uid)
    }
}

fn id(text: &str) -> Id {
    let (namespace, name) = text.split_once('/').unwrap();
    (namespace.to_owned(), name.to_owned())
}

fn good(at: &str, value: u32) -> Told<Thing> {
    Told { id: id(at), object: Ok(Thing { uid: "u", value }) }
}

fn bad(at: &str, uid: &str) -> Told<Thing> {
    let unreadable =
        Unreadable { uid: Some(uid.to_owned()), generation: Some(2), message: "bad".to_owned() };
    Told { id: id(at), object: Err(unreadable) }
}

struct Bench {
    store: Store<Thing>,
    listing: Listing<Thing>,
}

impl Bench {
    fn new(part: Part) -> Self {
        Self { store: Store::default(), listing: Listing::new(part) }
    }

    fn apply(&mut self, event: Event<Told<Thing>>) -> Change {
        self.store.apply(&mut self.listing, event)
    }

    fn list(&mut self, all: impl IntoIterator<Item = Told<Thing>>) -> Change {
        assert_eq!(self.apply(Event::Init), Change::None);
        for told in all {
            assert_eq!(self.apply(Event::InitApply(told)), Change::None);
        }
        self.apply(Event::InitDone)
    }

    fn shown(&self) -> String {
        let shelves = self.store.shelves().iter();
        let things = shelves.flat_map(|(namespace, shelf)| {
            shelf.iter().map(move |(name, thing)| format!("{namespace}/{name}={}", thing.value))
        });
        things.collect::<Vec<_>>().join(" ")
    }
}

/// FAULTS 39.
#[test]
fn a_relist_never_empties_it() {
    let mut bench = Bench::new(Part::Everything);
    assert_eq!(bench.listing.listed(), Listed::Never);
    assert_eq!(bench.list([good("a/x", 1), good("b/y", 2)]), Change::Some);
    assert_eq!(bench.listing.listed(), Listed::Once);
    bench.apply(Event::Init);
    bench.apply(Event::InitApply(good("a/x", 3)));
    assert_eq!(bench.shown(), "a/x=1 b/y=2");
    // The list broke off; the next one counts, and nothing of the first.
    assert_eq!(bench.list([good("b/y", 2)]), Change::Some);
    assert_eq!(bench.shown(), "b/y=2");
}

#[test]
fn a_list_that_brings_the_same_does_not_ring() {
    let mut bench = Bench::new(Part::Everything);
    assert_eq!(bench.list([]), Change::Some, "now it is known that there are none");
    assert_eq!(bench.list([]), Change::None);
    bench.list([good("a/x", 1), good("a/y", 1)]);
    let shelf = Rc::clone(&bench.store.shelves()["a"]);
    assert_eq!(bench.list([good("a/y", 1), good("a/x", 1)]), Change::None);
    assert_eq!(bench.apply(Event::Apply(good("a/x", 1))), Change::None);
    assert!(Rc::ptr_eq(&shelf, &bench.store.shelves()["a"]));
    assert_eq!(bench.apply(Event::Apply(good("a/x", 2))), Change::Some);
    assert_eq!((shelf["x"].value, bench.store.shelves()["a"]["x"].value), (1, 2));
    assert_eq!(bench.apply(Event::Delete(good("a/x", 2))), Change::Some);
    assert_eq!(bench.apply(Event::Delete(good("a/x", 2))), Change::None);
    assert_eq!(bench.shown(), "a/y=1");
}

#[test]
fn a_watch_of_one_namespace_does_not_touch_another() {
    let mut bench = Bench::new(Part::Everything);
    bench.list([good("a/x", 1), good("b/y", 1), bad("b/z", "u")]);
    bench.listing = Listing::new(Part::Namespace("a".to_owned()));
    bench.list([good("a/w", 1)]);
    assert_eq!(bench.shown(), "a/w=1 b/y=1");
    assert_eq!(bench.store.unreadable().len(), 1);
}

#[test]
fn what_cannot_be_read_keeps_its_last_good_version() {
    let mut bench = Bench::new(Part::Everything);
    bench.list([good("a/x", 1), bad("a/new", "n")]);
    assert_eq!(bench.shown(), "a/x=1", "there is no earlier version of the new one");
    assert_eq!(bench.apply(Event::Apply(bad("a/x", "u"))), Change::Some);
    assert_eq!(bench.apply(Event::Apply(bad("a/x", "u"))), Change::None);
    // A relist finds it just as bad.
    assert_eq!(bench.list([bad("a/x", "u"), bad("a/new", "n")]), Change::None);
    assert_eq!(bench.shown(), "a/x=1");
    assert_eq!(bench.apply(Event::Apply(good("a/x", 1))), Change::Some, "it is mended");
    assert_eq!(bench.store.unreadable().len(), 1);
}

#[test]
fn a_good_version_goes_with_its_object() {
    let mut bench = Bench::new(Part::Everything);
    bench.list([good("a/x", 1), good("a/y", 1)]);
    bench.apply(Event::Apply(bad("a/x", "u")));
    bench.apply(Event::Delete(bad("a/x", "u")));
    // Made anew under its old name: what was there before is another object.
    bench.apply(Event::Apply(bad("a/y", "another")));
    assert_eq!(bench.shown(), "");
    assert_eq!(bench.store.unreadable().keys().collect::<Vec<_>>(), [&id("a/y")]);
}
