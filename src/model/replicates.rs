//! The process runs of a measurement: one nearly always, which then needs no room of its own.

use super::Evidence;
use std::ops::{Deref, DerefMut};

/// One entry for each process run that a tool tells apart. Used as a slice.
#[derive(Debug, Clone)]
pub struct Replicates(Inner);

#[derive(Debug, Clone)]
enum Inner {
    One(Evidence),
    Many(Vec<Evidence>),
}

impl Deref for Replicates {
    type Target = [Evidence];

    fn deref(&self) -> &[Evidence] {
        match &self.0 {
            Inner::One(evidence) => std::slice::from_ref(evidence),
            Inner::Many(all) => all,
        }
    }
}

impl DerefMut for Replicates {
    fn deref_mut(&mut self) -> &mut [Evidence] {
        match &mut self.0 {
            Inner::One(evidence) => std::slice::from_mut(evidence),
            Inner::Many(all) => all,
        }
    }
}

impl From<Evidence> for Replicates {
    fn from(evidence: Evidence) -> Self {
        Replicates(Inner::One(evidence))
    }
}

impl From<Vec<Evidence>> for Replicates {
    fn from(mut all: Vec<Evidence>) -> Self {
        match all.pop() {
            Some(only) if all.is_empty() => only.into(),
            last => {
                all.extend(last);
                Replicates(Inner::Many(all))
            }
        }
    }
}

impl Extend<Evidence> for Replicates {
    fn extend<T: IntoIterator<Item = Evidence>>(&mut self, more: T) {
        let mut all = std::mem::replace(self, Vec::new().into()).into_vec();
        all.extend(more);
        *self = all.into();
    }
}

impl Replicates {
    fn into_vec(self) -> Vec<Evidence> {
        match self.0 {
            Inner::One(evidence) => vec![evidence],
            Inner::Many(all) => all,
        }
    }
}

impl IntoIterator for Replicates {
    type Item = Evidence;
    type IntoIter = std::vec::IntoIter<Evidence>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'a> IntoIterator for &'a Replicates {
    type Item = &'a Evidence;
    type IntoIter = std::slice::Iter<'a, Evidence>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Replicates {
    type Item = &'a mut Evidence;
    type IntoIter = std::slice::IterMut<'a, Evidence>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: AsRef<[Evidence]> + ?Sized> PartialEq<T> for Replicates {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl AsRef<[Evidence]> for Replicates {
    fn as_ref(&self) -> &[Evidence] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_takes_no_more_room_than_its_evidence() {
        assert!(size_of::<Replicates>() <= size_of::<Evidence>(), "{}", size_of::<Replicates>());
    }

    #[test]
    fn one_and_many_are_slices_alike() {
        let value = |x: f64| Evidence::Value(x);
        let mut replicates = Replicates::from(vec![value(1.0)]);
        assert_eq!(replicates, [value(1.0)]);
        replicates.extend([value(2.0), value(3.0)]);
        assert_eq!(replicates, vec![value(1.0), value(2.0), value(3.0)]);
        assert_eq!(replicates.iter().map(Evidence::centre).sum::<f64>(), 6.0);
        assert!(Replicates::from(Vec::new()).is_empty());
        assert_eq!(Replicates::from(value(4.0)).into_iter().collect::<Vec<_>>(), [value(4.0)]);
    }
}
