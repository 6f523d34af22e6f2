use std::fs;
use std::os::unix::fs::symlink;

use notify::Event;
use notify::event::{CreateKind, DataChange, MetadataKind, RemoveKind, RenameMode};
use tempfile::TempDir;

use super::*;

const PROVIDER: &str = "apiVersion: pillion.dev/v1alpha1\nkind: ProviderSecret\n";

fn provider(name: &str) -> String {
    format!("{PROVIDER}metadata: {{name: {name}}}\nspec: {{provider: Groq}}\n")
}

/// Waits for a change, but not for ever; notices take milliseconds.
async fn change(files: &mut Files) {
    tokio::time::timeout(Duration::from_secs(8), files.changed()).await.expect("no change noticed");
}

fn names(files: &Files) -> Vec<String> {
    let manifests = files.read();
    let providers = manifests.world.providers.iter();
    providers.filter_map(|provider| provider.metadata.name.clone()).collect()
}

/// Waits until the folder's providers are these: a change of several steps may ring several times.
async fn expect(files: &mut Files, expected: &[&str]) {
    while names(files) != expected {
        change(files).await;
    }
}

/// A folder `m` with one provider, within one of its own.
fn opened(pace: Pace) -> (TempDir, PathBuf, Files) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a.yaml"), provider("one")).unwrap();
    let files = Files::with_pace(Folder::new(path.as_path(), []), pace).unwrap();
    assert_eq!(names(&files), ["one"]);
    (dir, path, files)
}

/// Looks so rarely that what these tests see was noticed.
const NOTICES: Pace =
    Pace { look: Duration::from_secs(3600), look_only: Duration::from_secs(3600), ..PACE };

#[tokio::test]
async fn writes_in_place_and_renames_over_are_noticed() {
    let (dir, path, mut files) = opened(NOTICES);
    assert_eq!(files.watching(), Watching::Notices);
    fs::write(path.join("a.yaml"), provider("two")).unwrap();
    expect(&mut files, &["two"]).await;
    fs::write(path.join(".a.yaml.swp"), provider("three")).unwrap();
    fs::rename(path.join(".a.yaml.swp"), path.join("a.yaml")).unwrap();
    expect(&mut files, &["three"]).await;
    fs::write(dir.path().join("elsewhere"), provider("four")).unwrap();
    fs::rename(dir.path().join("elsewhere"), path.join("b.yaml")).unwrap();
    expect(&mut files, &["three", "four"]).await;
    fs::remove_file(path.join("a.yaml")).unwrap();
    expect(&mut files, &["four"]).await;
}

#[tokio::test]
async fn the_swap_of_a_mounted_config_map_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let write = |version: &str| {
        fs::create_dir(dir.path().join(version)).unwrap();
        fs::write(dir.path().join(version).join("a.yaml"), provider(&version[2..])).unwrap();
        symlink(version, dir.path().join("..data_tmp")).unwrap();
        fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
    };
    write("..v1");
    symlink("..data/a.yaml", dir.path().join("a.yaml")).unwrap();
    let mut files = Files::with_pace(Folder::new(dir.path(), []), NOTICES).unwrap();
    assert_eq!(names(&files), ["v1"]);
    for (version, old) in [("..v2", "..v1"), ("..v3", "..v2")] {
        write(version);
        fs::remove_dir_all(dir.path().join(old)).unwrap();
        expect(&mut files, &[&version[2..]]).await;
    }
}

#[tokio::test]
async fn new_subfolders_are_watched() {
    let (_dir, path, mut files) = opened(NOTICES);
    fs::create_dir(path.join("sub")).unwrap();
    change(&mut files).await;
    fs::write(path.join("sub/b.yaml"), provider("two")).unwrap();
    expect(&mut files, &["one", "two"]).await;
    fs::write(path.join("sub/b.yaml"), provider("three")).unwrap();
    expect(&mut files, &["one", "three"]).await;
}

#[tokio::test]
async fn the_folder_may_go_and_come_back() {
    let (dir, path, mut files) = opened(NOTICES);
    for name in ["two", "three"] {
        fs::remove_dir_all(&path).unwrap();
        while !files.read().is_broken() {
            change(&mut files).await;
        }
        fs::create_dir(&path).unwrap();
        change(&mut files).await;
        fs::write(path.join("a.yaml"), provider(name)).unwrap();
        expect(&mut files, &[name]).await;
    }
    fs::rename(&path, dir.path().join("away")).unwrap();
    while !files.read().is_broken() {
        change(&mut files).await;
    }
    fs::rename(dir.path().join("away"), &path).unwrap();
    expect(&mut files, &["three"]).await;
    fs::write(path.join("a.yaml"), provider("four")).unwrap();
    expect(&mut files, &["four"]).await;
}

#[tokio::test]
async fn looking_finds_what_no_notice_tells_of() {
    let quick = Duration::from_millis(10);
    let (dir, path, mut files) = opened(Pace { look: quick, look_only: quick, ..PACE });
    let elsewhere = dir.path().join("elsewhere");
    fs::write(&elsewhere, provider("two")).unwrap();
    symlink(&elsewhere, path.join("b.yaml")).unwrap();
    expect(&mut files, &["one", "two"]).await;
    // Its folder is watched, but only for what concerns `m`.
    fs::write(&elsewhere, provider("three")).unwrap();
    expect(&mut files, &["one", "three"]).await;

    files.watch.watcher = None;
    files.watch.armed = None;
    assert_eq!(files.watching(), Watching::Looks);
    fs::write(path.join("a.yaml"), provider("four")).unwrap();
    expect(&mut files, &["four", "three"]).await;
}

#[tokio::test]
async fn a_dropped_wait_loses_nothing() {
    let long = Duration::from_secs(3600);
    let (_dir, path, mut files) = opened(Pace { quiet: long, patience: long, ..NOTICES });
    fs::write(path.join("a.yaml"), provider("two")).unwrap();
    // Dropped both before the bell is heard and while the folder comes to rest, which it never
    // does.
    while files.rang.is_none() {
        let _ = tokio::time::timeout(Duration::from_millis(5), files.changed()).await;
    }
    files.pace = NOTICES;
    change(&mut files).await;
    assert_eq!(names(&files), ["two"]);
}

#[tokio::test]
async fn a_folder_that_never_rests_is_read_all_the_same() {
    let restless = Pace { quiet: Duration::from_secs(3600), ..NOTICES };
    let (_dir, path, mut files) = opened(restless);
    fs::write(path.join("a.yaml"), provider("two")).unwrap();
    expect(&mut files, &["two"]).await;
}

#[test]
fn what_is_not_there_cannot_be_opened() {
    let dir = tempfile::tempdir().unwrap();
    let error = Files::open(dir.path().join("no"), []).unwrap_err().to_string();
    assert!(error.starts_with("cannot open the manifests at /"), "{error}");
}

#[test]
fn reading_does_not_ring() {
    use EventKind::{Access, Any, Create, Modify, Remove};
    let path = Path::new("/etc/m");
    for (kind, told, expected) in [
        (Access(AccessKind::Open(AccessMode::Any)), "/etc/m/a", false),
        (Access(AccessKind::Close(AccessMode::Read)), "/etc/m/a", false),
        (Access(AccessKind::Close(AccessMode::Write)), "/etc/m/a", true),
        (Create(CreateKind::File), "/etc/m/a", true),
        (Create(CreateKind::File), "/etc/other", false),
        (Create(CreateKind::Folder), "/etc/m", true),
        (Modify(ModifyKind::Data(DataChange::Any)), "/etc/m/a", true),
        (Modify(ModifyKind::Name(RenameMode::To)), "/etc/m/..data", true),
        (Modify(ModifyKind::Metadata(MetadataKind::Any)), "/etc/m/a", true),
        (Remove(RemoveKind::File), "/etc/m/sub/a", true),
        (Any, "/etc/mm", false),
    ] {
        let event = Event::new(kind).add_path(told.into());
        assert_eq!(rings(&event, path), expected, "{event:?}");
    }
    assert!(rings(&Event::new(EventKind::Other), path), "the queue ran over");
}
