//! Windows paths: every text is one canonical path or none.

#![no_main]

use bailiwick_fuzz::printable;
use bailiwick_windows::path::{Known, ShortName, WindowsPath};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let base = WindowsPath::parse(r"C:\work\src").unwrap();
    let guid = |digit: &str| format!("{}-0e4f-11d3-9a0c-0305e82c3301", digit.repeat(8));
    let volumes = [(guid("1"), Some('C')), (guid("2"), None)];
    let short_names =
        [ShortName { directory: WindowsPath::root('C'), short: "WORK~1".to_owned(), long: "work space".to_owned() }];
    for known in [Known::nothing(), Known { base: Some(&base), volumes: &volumes, short_names: &short_names }] {
        match known.parse(text) {
            Ok(path) => canonical(&path, &known),
            Err(error) => printable(error),
        }
    }
});

fn canonical(path: &WindowsPath, known: &Known<'_>) {
    for spelling in [path.to_string(), path.verbatim()] {
        let again = known.parse(&spelling).unwrap_or_else(|error| panic!("its own spelling is refused: {error}"));
        assert_eq!(&again, path);
        assert_eq!((again.to_string(), again.key()), (path.to_string(), path.key()), "spelt otherwise");
    }
    for name in path.names() {
        assert!(!matches!(name, "" | "." | "..") && !name.contains(['\\', '/', ':', '\0']), "{name:?} is no name");
    }
    let upper = known.parse(&path.to_string().to_uppercase());
    if path.to_string().is_ascii() {
        assert_eq!(upper.as_ref(), Ok(path), "case matters");
    }
    for above in path.ancestors() {
        assert!(above.covers_strictly(path) && !path.covers(&above));
        assert!(path.key().starts_with(above.key()));
    }
    printable(path.shown());
}
