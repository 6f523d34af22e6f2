use proptest::prelude::{any, prop, prop_assert, prop_assert_eq};
use proptest::proptest;

use super::MultipartFault::{Duplicate, Malformed, NotText, TooLong};
use super::{MultipartFault, boundary, find_model, model_part};

/// Reads the body with the boundary `XX`; the span must cover the text.
fn check(body: impl AsRef<[u8]>, expected: Result<Option<&str>, MultipartFault>) {
    let body = body.as_ref();
    let found = find_model(body, "XX");
    let shown = String::from_utf8_lossy(body);
    assert_eq!(model_part(body, "XX"), found.clone().ok().flatten(), "{shown}");
    if let Ok(Some((span, text))) = &found {
        assert_eq!(&body[span.clone()], text.as_bytes(), "{shown}");
    }
    let told = found.as_ref().map(|model| model.as_ref().map(|(_, text)| text.as_str()));
    assert_eq!(told, expected.as_ref().copied(), "{shown}");
}

/// A form of one field with these headers and this value.
fn check_field(headers: &str, value: &str, expected: Result<Option<&str>, MultipartFault>) {
    check(format!("--XX\r\n{headers}\r\n\r\n{value}\r\n--XX--\r\n"), expected);
}

fn check_disposition(disposition: &str, expected: Result<Option<&str>, MultipartFault>) {
    check_field(&format!("Content-Disposition: {disposition}"), "gpt", expected);
}

#[test]
fn boundaries() {
    for (content_type, expected) in [
        ("multipart/form-data; boundary=XX", Some("XX")),
        ("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"X X:=?\" ; a=b", Some("X X:=?")),
        (
            "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk",
            Some("----WebKitFormBoundary7MA4YWxk"),
        ),
        ("multipart/form-data; a=\"; boundary=no\"; boundary=yes", Some("yes")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=\"\"", None),
        ("multipart/form-data; boundary=\"a", None),
        ("multipart/form-data; boundary=\"a\\\"b\"", None),
        ("multipart/form-data; boundary=a; boundary=b", None),
        ("multipart/mixed; boundary=a", None),
        ("application/json", None),
        ("", None),
    ] {
        assert_eq!(boundary(content_type), expected, "{content_type}");
    }
}

#[test]
fn what_the_sdks_send() {
    let body = "--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
        --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
        Content-Type: audio/wav\r\n\r\nRIFF\0\x01\r\n--X\r\n--XXX\r\n\r\nmodel\r\n--XX--\r\n";
    check(body, Ok(Some("whisper-1")));
    let swapped = "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"model\"\r\n\r\n\
        \r\n--XX\r\ncontent-type: text/plain\r\ncontent-disposition:form-data;name=model\r\n\r\n\
        a/b:c\r\n--XX--";
    check(swapped, Ok(Some("a/b:c")));
    let padded = "preamble\r\n--XX \t\r\nCONTENT-DISPOSITION: form-data; NAME=model\r\n\r\ngpt\r\n\
        --XX\r\n\r\nno headers\r\n--XX\r\n\r\n\r\n--XX--epilogue\r\n--XX\r\n";
    check(padded, Ok(Some("gpt")));
}

#[test]
fn dispositions() {
    let gpt = Ok(Some("gpt"));
    check_disposition("form-data; name=\"model\"", gpt);
    check_disposition("form-data;name=model", gpt);
    check_disposition("form-data; name=model ; x=\"a;b\"", gpt);
    check_disposition("form-data; name = \"model\"", gpt);
    check_disposition("form-data; name=\"model\"; filename=\"a\"", Ok(None));
    check_disposition("form-data; filename*=utf-8''a; name=\"model\"", Ok(None));
    check_disposition("form-data; name=\"Model\"", Ok(None));
    check_disposition("form-data; name=\"models\"", Ok(None));
    check_disposition("form-data; name=\"model \"", Ok(None));
    check_disposition("form-data; name=\"a; name=model\"", Ok(None));
    check_disposition("form-data; name=\"a\\\"; name=model\"", Ok(None));
    check_disposition("form-data", Ok(None));
    check_disposition("form-data; name=\"mod\\el\"", Err(Malformed));
    check_disposition("form-data; name=\"model", Err(Malformed));
    check_disposition("form-data; name=\"model\"x", Err(Malformed));
    check_disposition("form-data; name=a; name=model", Err(Malformed));
    check_disposition("form-data; model", Err(Malformed));
}

#[test]
fn headers() {
    let model = "Content-Disposition: form-data; name=\"model\"";
    check_field(&format!("{model}\r\nContent-Transfer-Encoding: 8BIT"), "m", Ok(Some("m")));
    check_field(&format!("{model}\r\nContent-Transfer-Encoding: base64"), "bQ==", Err(Malformed));
    check_field(&format!("{model}\r\n{model}"), "m", Err(Malformed));
    check_field("Content-Disposition: form-data;\r\n name=\"model\"", "m", Err(Malformed));
    check_field("Content-Disposition : form-data; name=\"model\"", "m", Err(Malformed));
    check_field("no colon", "m", Err(Malformed));
    check_field("X-Other: name=\"model\"", "m", Ok(None));
}

#[test]
fn values() {
    let model = "Content-Disposition: form-data; name=\"model\"";
    check_field(model, "", Ok(Some("")));
    check_field(model, "é\r\n😀", Ok(Some("é\r\n😀")));
    check_field(model, &"x".repeat(1024), Ok(Some(&"x".repeat(1024))));
    check_field(model, &"x".repeat(1025), Err(TooLong));
    check(
        format!("--XX\r\n{model}\r\n\r\na\r\n--XX\r\n{model}\r\n\r\na\r\n--XX--"),
        Err(Duplicate),
    );
    let mut bytes = format!("--XX\r\n{model}\r\n\r\n").into_bytes();
    bytes.extend(b"\xff\r\n--XX--");
    check(bytes, Err(NotText));
}

#[test]
fn malformed() {
    for body in [
        "",
        "--XX",
        "--XX\r\n",
        "--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n--XX--",
        "--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt",
        "--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt\r\n--XX\r\n",
        "--XX\nContent-Disposition: form-data; name=\"model\"\n\ngpt\n--XX--\n",
        "--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n--XX--",
    ] {
        check(body, Err(Malformed));
    }
    check("--XX--", Ok(None));
    check("x--XX\r\n\r\n\r\n--XX--", Ok(None));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        body in concat!(
            r#"((--XX)|(--)|\r\n|[a-z:; "=\\]|(name="model")"#,
            "|(Content-Disposition: form-data; )){0,24}",
        ),
        bytes: Vec<u8>,
    ) {
        let _ = find_model(body.as_bytes(), "XX");
        let _ = find_model(&bytes, "XX");
        let _ = boundary(&format!("multipart/form-data; {body}"));
    }

    #[test]
    fn the_model_is_found_among_any_files(
        before in prop::collection::vec(any::<u8>(), 0..200),
        name in "[ -~]{0,40}",
        after in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let file = "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
        let field = "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
        let mark = b"--b0undary";
        let parts: [&[u8]; 3] = [
            &[file.as_bytes(), &before].concat(),
            &[field.as_bytes(), name.as_bytes()].concat(),
            &[file.as_bytes(), &after].concat(),
        ];
        let mut body: Vec<u8> =
            parts.iter().flat_map(|part| [mark, *part, b"\r\n"].concat()).collect();
        body.extend([&mark[..], b"--\r\n"].concat());
        let (span, text) = model_part(&body, "b0undary").unwrap();
        prop_assert_eq!(&text, &name);
        prop_assert!(body[span] == *name.as_bytes());
    }
}
