use super::*;

fn id() -> Id {
    ("ns".to_owned(), "s".to_owned())
}

fn wanted(keys: &[&str]) -> References {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    References::from([(id(), keys)])
}

fn told(data: &[(&str, &str)]) -> Told<Data> {
    let value = |value: &str| Zeroizing::new(value.as_bytes().to_vec());
    let data = data.iter().map(|(name, v)| ((*name).to_owned(), value(v)));
    Told { id: id(), object: Ok(Data(data.collect())) }
}

fn list(store: &mut SecretStore, secret: Option<Told<Data>>) -> Change {
    assert_eq!(store.hear(&id(), Event::Init), Change::None);
    if let Some(told) = secret {
        assert_eq!(store.hear(&id(), Event::InitApply(told)), Change::None);
    }
    store.hear(&id(), Event::InitDone)
}

fn names(store: &SecretStore) -> Option<Vec<&str>> {
    store.get(&id()).map(|keys| keys.keys().map(String::as_str).collect())
}

#[tokio::test]
async fn only_what_is_asked_for_is_kept() {
    let mut store = SecretStore::default();
    assert_eq!(store.want(&wanted(&["a", "b"])), [id()]);
    list(&mut store, Some(told(&[("a", "1"), ("b", "2"), ("c", "3")])));
    assert_eq!(names(&store), Some(vec!["a", "b"]));
    assert_eq!(store.want(&wanted(&["a"])), []);
    assert_eq!(names(&store), Some(vec!["a"]));
    store.hear(&id(), Event::Apply(told(&[("a", "1"), ("b", "2")])));
    assert_eq!(names(&store), Some(vec!["a"]));
    store.want(&References::new());
    assert_eq!((names(&store), store.ids().count()), (None, 0));
    assert_eq!(store.hear(&id(), Event::Apply(told(&[("a", "1")]))), Change::None);
}

#[tokio::test]
async fn not_known_yet_is_not_absent() {
    let mut store = SecretStore::default();
    store.want(&wanted(&["a"]));
    assert!(store.awaited_since(&id()).is_some() && !store.all_told());
    assert_eq!(list(&mut store, None), Change::Some, "now it is known that there is none");
    assert!(store.awaited_since(&id()).is_none() && store.all_told());
    assert_eq!(names(&store), None);
    store.hear(&id(), Event::Apply(told(&[("a", "1")])));
    // More is asked for than was kept: what is known stays until the new watch has told.
    assert_eq!(store.want(&wanted(&["a", "b"])), [id()]);
    assert!(store.awaited_since(&id()).is_some());
    assert_eq!(names(&store), Some(vec!["a"]));
    list(&mut store, Some(told(&[("a", "1"), ("b", "2")])));
    assert_eq!(names(&store), Some(vec!["a", "b"]));
}

#[tokio::test]
async fn only_another_key_rings() {
    let mut store = SecretStore::default();
    store.want(&wanted(&["a"]));
    list(&mut store, Some(told(&[("a", "1")])));
    assert_eq!(list(&mut store, Some(told(&[("a", "1"), ("other", "x")]))), Change::None);
    let same = told(&[("a", "1\n"), ("other", "y")]);
    assert_eq!(store.hear(&id(), Event::Apply(same)), Change::None);
    assert_eq!(store.hear(&id(), Event::Apply(told(&[("a", "2")]))), Change::Some);
    assert_eq!(store.hear(&id(), Event::Apply(told(&[("a", "")]))), Change::Some);
    assert_eq!(store.hear(&id(), Event::Delete(told(&[]))), Change::Some);
    assert_eq!(names(&store), None);
}

#[tokio::test]
async fn shows_no_value() {
    let mut store = SecretStore::default();
    store.want(&wanted(&["a"]));
    list(&mut store, Some(told(&[("a", "canary")])));
    let shown = format!("{store:?} {:?}", told(&[("a", "canary")]));
    assert!(!shown.contains("canary") && !shown.contains("99, 97"), "{shown}");
}
