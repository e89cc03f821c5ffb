//! What was read from the portal, held once for all types of resources, so that the reactive code behind
//! it is compiled once.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use leptos::prelude::*;

/// A resource with the text it was read from; the text decides whether it changed.
#[derive(Clone)]
pub struct Held {
    text: Arc<str>,
    value: Arc<dyn Any + Send + Sync>,
}

impl Held {
    /// A resource (an `Option<T>`, so that "nothing yet" can be shown in the same way).
    pub fn new<T: Send + Sync + 'static>(text: &str, value: T) -> Self {
        Self { text: text.into(), value: Arc::new(Some(value)) }
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The resource as last read: none before the first answer.
pub struct Latest<T> {
    held: Memo<Option<Held>>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Latest<T> {}

impl<T: Send + Sync + 'static> Latest<T> {
    /// Over what is held.
    pub fn new(held: Memo<Option<Held>>) -> Self {
        Self { held, of: PhantomData }
    }

    /// Whether something was read.
    pub fn is_there(self) -> Memo<bool> {
        let held = self.held;
        Memo::new(move |_| held.with(Option::is_some))
    }

    /// Looks at it; reactive.
    pub fn with<R>(self, f: impl FnOnce(&Option<T>) -> R) -> R {
        look(self.held.get().as_ref(), f)
    }

    /// Looks at it once.
    pub fn with_untracked<R>(self, f: impl FnOnce(&Option<T>) -> R) -> R {
        look(self.held.get_untracked().as_ref(), f)
    }
}

impl<T: Clone + Send + Sync + 'static> Latest<T> {
    /// A copy of it; reactive.
    pub fn get(self) -> Option<T> {
        self.with(Clone::clone)
    }

    /// A copy of it, once.
    pub fn get_untracked(self) -> Option<T> {
        self.with_untracked(Clone::clone)
    }
}

fn look<T: 'static, R>(held: Option<&Held>, f: impl FnOnce(&Option<T>) -> R) -> R {
    match held.and_then(|h| h.value.downcast_ref::<Option<T>>()) {
        Some(value) => f(value),
        None => f(&None),
    }
}

/// A resource that is there: what [`Latest`] holds from its first answer on.
pub struct Current<T>(Latest<T>);

impl<T> Clone for Current<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Current<T> {}

impl<T: Send + Sync + 'static> Current<T> {
    /// Looks at it; reactive.
    pub fn with<R>(self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(|v| f(there(v)))
    }

    /// Looks at it once.
    pub fn with_untracked<R>(self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with_untracked(|v| f(there(v)))
    }
}

impl<T: Clone + Send + Sync + 'static> Current<T> {
    /// A copy of it; reactive.
    pub fn get(self) -> T {
        self.with(Clone::clone)
    }

    /// A copy of it, once.
    pub fn get_untracked(self) -> T {
        self.with_untracked(Clone::clone)
    }
}

impl<T: Send + Sync + 'static> Latest<T> {
    /// Itself as a resource that is there; none before the first answer. Not reactive.
    pub fn there(self) -> Option<Current<T>> {
        self.with_untracked(Option::is_some).then_some(Current(self))
    }
}

fn there<T>(v: &Option<T>) -> &T {
    v.as_ref().expect("what was read once is kept when a later read fails, and Current is made after that")
}
