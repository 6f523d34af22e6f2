//! The serializer: values to JSON.

use std::fmt::Error;

use serde::Serialize;
use serde::ser::{
    Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};

use super::super::document::RAW;
use super::quote;

/// Writes one value.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    texts: Texts,
}

/// What becomes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    Quoted,
    /// It is JSON.
    AsTheyAre,
}

/// Writes what stands in an array or an object.
pub(super) struct Inside<'w, 'o> {
    writer: &'w mut Writer<'o>,
    bracket: Bracket,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    List,
    Object,
    /// None: raw JSON is a structure of one text.
    Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    Filled,
}

// === impl Writer ===

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, texts: Texts::Quoted }
    }

    fn put(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    fn inside<'w>(&'w mut self, bracket: Bracket) -> Inside<'w, 'o> {
        match bracket {
            Bracket::List => self.out.push(b'['),
            Bracket::Object => self.out.push(b'{'),
            Bracket::Raw => self.texts = Texts::AsTheyAre,
        }
        Inside { writer: self, bracket, state: State::Empty }
    }
}

type Done = Result<(), Error>;

impl<'w, 'o> Serializer for &'w mut Writer<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Inside<'w, 'o>;
    type SerializeTuple = Inside<'w, 'o>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Inside<'w, 'o>;
    type SerializeStruct = Inside<'w, 'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_bool(self, value: bool) -> Done {
        self.put(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Done {
        self.put(itoa::Buffer::new().format(value).as_bytes());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Done {
        self.put(itoa::Buffer::new().format(value).as_bytes());
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(value.into())
    }

    /// Rare, and an art of its own.
    fn serialize_f64(self, value: f64) -> Done {
        serde_json::to_writer(&mut *self.out, &value).map_err(|_| Error)
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        match self.texts {
            Texts::Quoted => quote(value, self.out),
            Texts::AsTheyAre => self.put(value.as_bytes()),
        }
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        value.serialize(self)
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.put(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _at: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _at: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Done {
        Err(Error)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Inside<'w, 'o>, Error> {
        Ok(self.inside(Bracket::List))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Inside<'w, 'o>, Error> {
        Ok(self.inside(Bracket::List))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(Error)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _at: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Inside<'w, 'o>, Error> {
        Ok(self.inside(Bracket::Object))
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Inside<'w, 'o>, Error> {
        Ok(self.inside(if name == RAW { Bracket::Raw } else { Bracket::Object }))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _at: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error)
    }
}

// === impl Inside ===

impl Inside<'_, '_> {
    fn next(&mut self) {
        if self.state == State::Filled {
            self.writer.out.push(b',');
        }
        self.state = State::Filled;
    }

    fn close(self) -> Done {
        match self.bracket {
            Bracket::List => self.writer.out.push(b']'),
            Bracket::Object => self.writer.out.push(b'}'),
            Bracket::Raw => self.writer.texts = Texts::Quoted,
        }
        Ok(())
    }
}

impl SerializeSeq for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.next();
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Done {
        self.close()
    }
}

impl SerializeTuple for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Done {
        self.close()
    }
}

impl SerializeMap for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.next();
        key.serialize(&mut *self.writer)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.writer.out.push(b':');
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Done {
        self.close()
    }
}

impl SerializeStruct for Inside<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        if self.bracket == Bracket::Raw {
            return value.serialize(&mut *self.writer);
        }
        self.next();
        // The name of a field needs no escape.
        for part in [b"\"", key.as_bytes(), b"\":"] {
            self.writer.put(part);
        }
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Done {
        self.close()
    }
}
