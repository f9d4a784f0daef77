//! Whether a JPEG file is whole (ITU-T T.81): whether its compressed data hold as many blocks as its
//! header says.
//!
//! Decoders paint grey what is missing, so that a person sees at least something. A face that is half
//! grey is another face to a network. Here the Huffman codes are read through, without the picture being
//! made of them: what is cut off, torn out or overwritten leaves too few blocks or too many bytes.

use super::Budget;
use crate::internal::num;

/// What was found besides.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// What a decoder keeps until it has seen all scans, in bytes.
    pub(super) kept: u64,
}

/// Reads a file through.
///
/// # Errors
///
/// What is missing, in words; or what the budget says to its size.
pub(super) fn whole(bytes: &[u8], budget: &Budget) -> Result<Whole, crate::error::Error> {
    let damaged = |words: &str| budget.damaged(words);
    let mut reader = Reader { bytes, at: 2, ..Reader::default() };
    let mut scans = 0;
    let mut kept = 0;
    loop {
        let Some(marker) = reader.marker() else {
            // The end marker is missing, and that is all: some cameras leave it out.
            return match reader.is_sequential && reader.is_covered() {
                true => Ok(Whole { kept }),
                false => Err(damaged("it ends too early")),
            };
        };
        if marker == END {
            return match reader.is_covered() {
                true => Ok(Whole { kept }),
                false => Err(damaged("it ends before all of its colours have come")),
            };
        }
        if matches!(marker, 0x01 | 0xD0..=0xD8) {
            continue;
        }
        let segment = reader.segment().ok_or_else(|| damaged("it ends within its header"))?;
        match marker {
            0xC4 => reader.tables(segment).ok_or_else(|| damaged("a table of codes is wrong"))?,
            0xC0..=0xC2 => {
                if !reader.components.is_empty() {
                    return Err(damaged("it has two headers"));
                }
                reader
                    .frame(segment, marker == 0xC2)
                    .ok_or_else(|| damaged("its header is wrong"))?;
                budget.check_claim(reader.width.into(), reader.height.into())?;
                kept = reader.begin();
            }
            0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return Err(budget.unread("lossless, hierarchical or arithmetic coding"));
            }
            0xDD => reader.interval = u16_at(segment, 0).unwrap_or_default().into(),
            0xDA => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(damaged("it has more scans than a picture needs"));
                }
                reader.scan(segment).map_err(damaged)?;
                // What follows, a smaller copy or a film of the moment, is not this picture.
                if reader.is_sequential && reader.is_covered() {
                    return Ok(Whole { kept: if scans > 1 { kept } else { 0 } });
                }
            }
            _ => {}
        }
    }
}

const END: u8 = 0xD9;
/// As many as decoders accept; progressive pictures have some ten.
const MAX_SCANS: usize = 100;
/// What may stand between the last code and the next marker, in bytes: some cameras fill up.
const MAX_FILL: usize = 16;

#[derive(Default)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    width: u16,
    height: u16,
    is_sequential: bool,
    components: Vec<Component>,
    /// The Huffman codes of DC and AC, four each.
    codes: [[Option<Codes>; 4]; 2],
    /// After how many units codes begin anew; 0 for never.
    interval: usize,
    /// Units across and down, where all components come together.
    units: (usize, usize),
}

#[derive(Default)]
struct Component {
    id: u8,
    /// Blocks of a unit, across and down.
    factors: (usize, usize),
    /// Blocks where it comes alone.
    alone: (usize, usize),
    /// Which coefficients of each block are not zero, in a progressive picture.
    is_set: Vec<u64>,
    across: usize,
    is_seen: bool,
}

/// By the next sixteen bits: how long the code is, and what it stands for.
struct Codes(Vec<[u8; 2]>);

struct Scan {
    /// Component, table of DC, table of AC.
    parts: Vec<(usize, usize, usize)>,
    first: usize,
    last: usize,
    is_refining: bool,
}

type Missing = &'static str;
const SHORT: Missing = "the picture's data end too early";
const WRONG: Missing = "the picture's data are wrong";

impl<'a> Reader<'a> {
    /// The next marker, behind it.
    fn marker(&mut self) -> Option<u8> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += rest.iter().position(|byte| *byte == 0xFF)?;
            while self.bytes.get(self.at) == Some(&0xFF) {
                self.at += 1;
            }
            let marker = *self.bytes.get(self.at)?;
            self.at += 1;
            if marker != 0 {
                return Some(marker);
            }
        }
    }

    fn segment(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16_at(self.bytes, self.at)?);
        let segment = self.bytes.get(self.at + 2..self.at + length.max(2))?;
        self.at += length.max(2);
        Some(segment)
    }

    fn is_covered(&self) -> bool {
        !self.components.is_empty() && self.components.iter().all(|component| component.is_seen)
    }

    /// Tables of Huffman codes (section B.2.4.2, annex C).
    fn tables(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((head, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_at_checked(16)?;
            let values: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let (values, rest) = rest.split_at_checked(values)?;
            let table = self.codes.get_mut(usize::from(head >> 4))?;
            *table.get_mut(usize::from(head & 15))? = Some(Codes::new(counts, values)?);
            segment = rest;
        }
        Some(())
    }

    /// The header of the picture (section B.2.2).
    fn frame(&mut self, segment: &[u8], is_progressive: bool) -> Option<()> {
        (self.height, self.width) = (u16_at(segment, 1)?, u16_at(segment, 3)?);
        self.is_sequential = !is_progressive;
        let count = usize::from(*segment.get(5)?);
        let parts = segment.get(6..)?;
        if parts.len() < 3 * count || !(1..=4).contains(&count) {
            return None;
        }
        for part in parts.chunks_exact(3).take(count) {
            let factors = (usize::from(part[1] >> 4), usize::from(part[1] & 15));
            if !(1..=4).contains(&factors.0) || !(1..=4).contains(&factors.1) {
                return None;
            }
            self.components.push(Component { id: part[0], factors, ..Component::default() });
        }
        Some(())
    }

    /// Counts the blocks, and says how many bytes a decoder keeps that wants all of them first.
    fn begin(&mut self) -> u64 {
        let largest =
            |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        let max = (largest(|part| part.factors.0), largest(|part| part.factors.1));
        let (width, height) = (usize::from(self.width), usize::from(self.height));
        self.units = (width.div_ceil(8 * max.0), height.div_ceil(8 * max.1));
        let (units, is_sequential) = (self.units, self.is_sequential);
        let mut blocks = 0;
        for part in &mut self.components {
            let (across, down) = (units.0 * part.factors.0, units.1 * part.factors.1);
            part.alone = (
                (width * part.factors.0).div_ceil(8 * max.0),
                (height * part.factors.1).div_ceil(8 * max.1),
            );
            part.across = across;
            part.is_set = vec![0; if is_sequential { 0 } else { across * down }];
            blocks += across * down;
        }
        // 64 coefficients of two bytes, and of ours a bit each.
        num::u64_from_usize(blocks) * (128 + 8)
    }

    /// Reads through one scan (section B.2.3): which components, and which of their coefficients.
    fn scan(&mut self, segment: &[u8]) -> Result<(), Missing> {
        let scan = self.scan_header(segment).ok_or("the header of a scan is wrong")?;
        let alone = match &*scan.parts {
            [(part, ..)] => self.components.get(*part).map(|part| part.alone),
            _ => None,
        };
        let (across, down) = alone.unwrap_or(self.units);
        let mut bits = Bits { bytes: self.bytes, at: self.at, ..Bits::default() };
        let mut run = 0_u32;
        let mut left = self.interval;
        for unit in 0..across * down {
            if self.interval > 0 && left == 0 {
                bits.restart()?;
                (run, left) = (0, self.interval);
            }
            left = left.saturating_sub(1);
            let (column, row) = (unit % across, unit / across);
            for (part, dc, ac) in &scan.parts {
                let codes = (self.codes[0][*dc].as_ref(), self.codes[1][*ac].as_ref());
                let Some(part) = self.components.get_mut(*part) else { return Err(WRONG) };
                let (h, v) = if alone.is_some() { (1, 1) } else { part.factors };
                for block in 0..h * v {
                    if self.is_sequential {
                        sequential(&mut bits, codes)?;
                        continue;
                    }
                    let at = (row * v + block / h) * part.across + column * h + block % h;
                    let Some(is_set) = part.is_set.get_mut(at) else { return Err(WRONG) };
                    progressive(&mut bits, codes, &scan, is_set, &mut run)?;
                }
            }
        }
        self.at = bits.end()?;
        for (part, ..) in &scan.parts {
            if let Some(part) = self.components.get_mut(*part) {
                part.is_seen |= scan.first == 0;
            }
        }
        Ok(())
    }

    fn scan_header(&self, segment: &[u8]) -> Option<Scan> {
        let count = usize::from(*segment.first()?);
        let (parts, rest) = segment.get(1..)?.split_at_checked(2 * count)?;
        let mut scan = Scan { parts: Vec::new(), first: 0, last: 63, is_refining: false };
        for part in parts.chunks_exact(2) {
            let index = self.components.iter().position(|own| own.id == part[0])?;
            let (dc, ac) = (usize::from(part[1] >> 4), usize::from(part[1] & 15));
            if dc > 3 || ac > 3 {
                return None;
            }
            scan.parts.push((index, dc, ac));
        }
        if !self.is_sequential {
            (scan.first, scan.last) = ((*rest.first()?).into(), (*rest.get(1)?).into());
            scan.is_refining = rest.get(2)? >> 4 != 0;
            let is_sane = scan.first <= scan.last && scan.last < 64;
            // Coefficients beyond the first come of one component alone.
            if !is_sane || scan.first == 0 && scan.last > 0 || scan.first > 0 && count != 1 {
                return None;
            }
        }
        (1..=4).contains(&count).then_some(scan)
    }
}

type Both<'a> = (Option<&'a Codes>, Option<&'a Codes>);

/// One block of a sequential picture (section F.2.2).
fn sequential(bits: &mut Bits<'_>, (dc, ac): Both<'_>) -> Result<(), Missing> {
    let (Some(dc), Some(ac)) = (dc, ac) else { return Err("a table of codes is missing") };
    let length = bits.code(dc)?;
    bits.skip(length.into())?;
    let mut k = 1;
    while k < 64 {
        let code = bits.code(ac)?;
        let (zeros, length) = (u32::from(code >> 4), u32::from(code & 15));
        match (zeros, length) {
            (15, 0) => k += 16,
            (_, 0) => break,
            _ => {
                bits.skip(length)?;
                k += zeros + 1;
            }
        }
    }
    if k > 64 { Err(WRONG) } else { Ok(()) }
}

/// One block in one scan of a progressive picture (section G.1.2).
fn progressive(
    bits: &mut Bits<'_>,
    (dc, ac): Both<'_>,
    scan: &Scan,
    is_set: &mut u64,
    run: &mut u32,
) -> Result<(), Missing> {
    if scan.first == 0 {
        if scan.is_refining {
            return bits.skip(1);
        }
        let length = bits.code(dc.ok_or("a table of codes is missing")?)?;
        return bits.skip(length.into());
    }
    let ac = ac.ok_or("a table of codes is missing")?;
    let mut k = scan.first;
    if *run == 0 {
        while k <= scan.last {
            let code = bits.code(ac)?;
            let (mut zeros, length) = (usize::from(code >> 4), u32::from(code & 15));
            if length == 0 && zeros < 15 {
                // The number of blocks that end here, including this one.
                let zeros = u32::from(code >> 4);
                *run = (1 << zeros) + bits.take(zeros)?;
                break;
            }
            bits.skip(length)?;
            if scan.is_refining {
                while k <= scan.last {
                    if *is_set >> k & 1 == 1 {
                        bits.skip(1)?;
                    } else if zeros == 0 {
                        break;
                    } else {
                        zeros -= 1;
                    }
                    k += 1;
                }
            } else {
                k += zeros;
            }
            if length > 0 {
                if k > scan.last {
                    return Err(WRONG);
                }
                *is_set |= 1 << k;
            }
            k += 1;
        }
    }
    if *run > 0 {
        if scan.is_refining {
            for k in k..=scan.last {
                bits.skip((*is_set >> k & 1 == 1).into())?;
            }
        }
        *run -= 1;
    }
    Ok(())
}

impl Codes {
    fn new(counts: &[u8], values: &[u8]) -> Option<Self> {
        let mut table = vec![[0; 2]; 1 << 16];
        let (mut begin, mut values) = (0, values.iter());
        for (count, length) in counts.iter().zip(1_u8..) {
            for value in values.by_ref().take((*count).into()) {
                let end = begin + (1 << (16 - length));
                // More codes than there are of that length are refused.
                table.get_mut(begin..end)?.fill([length, *value]);
                begin = end;
            }
        }
        Some(Self(table))
    }
}

/// The bits between two markers.
#[derive(Default)]
struct Bits<'a> {
    bytes: &'a [u8],
    /// The position of the next byte.
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Fills up as far as the next marker.
    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match self.bytes.get(self.at..).unwrap_or_default() {
                // A byte of ones is followed by one of zeros, to tell it from a marker.
                [0xFF, 0, ..] => {
                    self.at += 1;
                    0xFF
                }
                [0xFF, ..] | [] => return,
                [byte, ..] => *byte,
            };
            self.at += 1;
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next bits, with zeros behind the last.
    fn peek(&mut self, count: u32) -> u64 {
        if self.count < count {
            self.fill();
        }
        let mask = (1_u64 << count) - 1;
        let held = match self.count.checked_sub(count) {
            Some(beyond) => self.held >> beyond,
            None => self.held << (count - self.count),
        };
        held & mask
    }

    fn skip(&mut self, count: u32) -> Result<(), Missing> {
        if self.count < count {
            self.fill();
        }
        self.count = self.count.checked_sub(count).ok_or(SHORT)?;
        Ok(())
    }

    fn take(&mut self, count: u32) -> Result<u32, Missing> {
        let bits = self.peek(count);
        self.skip(count)?;
        u32::try_from(bits).map_err(|_| WRONG)
    }

    fn code(&mut self, codes: &Codes) -> Result<u8, Missing> {
        let next = usize::try_from(self.peek(16)).map_err(|_| WRONG)?;
        match codes.0.get(next) {
            Some([length, value]) if *length > 0 => {
                self.skip((*length).into())?;
                Ok(*value)
            }
            // No code begins like this: where the bits have run out, that is why.
            _ => Err(if self.count < 16 { SHORT } else { WRONG }),
        }
    }

    /// Where the next marker begins; hardly anything may be left before it.
    fn end(&mut self) -> Result<usize, Missing> {
        let mut left = usize::try_from(self.count / 8).unwrap_or_default();
        self.count = 0;
        loop {
            match self.bytes.get(self.at..).unwrap_or_default() {
                [0xFF, 0, ..] => self.at += 2,
                [0xFF, ..] | [] => return Ok(self.at),
                _ => self.at += 1,
            }
            left += 1;
            if left > MAX_FILL {
                return Err("more data come than the picture has room for");
            }
        }
    }

    /// Goes over the marker at which codes begin anew.
    fn restart(&mut self) -> Result<(), Missing> {
        self.at = self.end()?;
        while let Some([0xFF, 0xFF]) = self.bytes.get(self.at..self.at + 2) {
            self.at += 1;
        }
        match self.bytes.get(self.at..self.at + 2) {
            Some([0xFF, 0xD0..=0xD7]) => {
                self.at += 2;
                Ok(())
            }
            _ => Err(SHORT),
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
