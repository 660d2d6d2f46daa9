/// A value that knows how many bytes of the heap it keeps alive.
///
/// Say what the allocator gave, not what was asked for: `ObjectMemory.bytes(of:)` tells it of any object, and the
/// conformances of the standard types below do the same. A type of your own adds up its parts:
///
///     struct Profile: MemorySized {
///         var name: String
///         var picture: [UInt8]
///         var heapBytes: Int { name.heapBytes + picture.heapBytes }
///     }
///
/// Storage that is shared with others outside the cache counts in full: too much rather than too little.
public protocol MemorySized {
    /// Bytes on the heap that go when the value goes. What lies in the value itself does not count: the cache knows.
    var heapBytes: Int { get }
}

/// A type whose values keep nothing on the heap: numbers, and structs of numbers.
public protocol MemoryInline: MemorySized {}

extension MemoryInline {
    /// None.
    @inlinable public var heapBytes: Int { 0 }
}

extension Int: MemoryInline {}
extension Int8: MemoryInline {}
extension Int16: MemoryInline {}
extension Int32: MemoryInline {}
extension Int64: MemoryInline {}
extension Int128: MemoryInline {}
extension UInt: MemoryInline {}
extension UInt8: MemoryInline {}
extension UInt16: MemoryInline {}
extension UInt32: MemoryInline {}
extension UInt64: MemoryInline {}
extension UInt128: MemoryInline {}
extension Float: MemoryInline {}
extension Double: MemoryInline {}
extension Bool: MemoryInline {}
extension Duration: MemoryInline {}
extension Unicode.Scalar: MemoryInline {}
extension Never: MemoryInline {}
extension ObjectIdentifier: MemoryInline {}

extension String: MemorySized {
    /// The storage of the text; 0 when it is small or a literal.
    public var heapBytes: Int { ObjectMemory.bytes(of: self) }
}

extension Substring: MemorySized {
    /// The whole string it is a part of, which it keeps alive.
    public var heapBytes: Int { base.heapBytes }
}

extension Character: MemorySized {
    /// As a string.
    public var heapBytes: Int { String(self).heapBytes }
}

extension StaticString: MemoryInline {}

extension Optional: MemorySized where Wrapped: MemorySized {
    /// The wrapped value's.
    @inlinable public var heapBytes: Int {
        switch self {
        case .some(let value): value.heapBytes
        case .none: 0
        }
    }
}

extension Result: MemorySized where Success: MemorySized, Failure: MemorySized {
    /// The success's or the error's.
    @inlinable public var heapBytes: Int {
        switch self {
        case .success(let value): value.heapBytes
        case .failure(let error): error.heapBytes
        }
    }
}

extension Array: MemorySized where Element: MemorySized {
    /// The storage with its spare capacity, and what the elements hold. O(count) unless they are inline.
    @inlinable public var heapBytes: Int {
        storageBytes(of: self, capacity: capacity, count: count, stride: MemoryLayout<Element>.stride)
            + elementBytes(self)
    }
}

extension ContiguousArray: MemorySized where Element: MemorySized {
    /// As of an array.
    @inlinable public var heapBytes: Int {
        storageBytes(of: self, capacity: capacity, count: count, stride: MemoryLayout<Element>.stride)
            + elementBytes(self)
    }
}

extension ArraySlice: MemorySized where Element: MemorySized {
    /// The slice's own part: the storage behind it, which it keeps alive, cannot be seen from here. Store arrays.
    @inlinable public var heapBytes: Int { Array(self).heapBytes }
}

extension Set: MemorySized where Element: MemorySized {
    /// The storage with its spare places, and what the elements hold.
    @inlinable public var heapBytes: Int {
        storageBytes(of: self, capacity: capacity, count: count, stride: MemoryLayout<Element>.stride)
            + elementBytes(self)
    }
}

extension Dictionary: MemorySized where Key: MemorySized, Value: MemorySized {
    /// The storage with its spare places, and what keys and values hold.
    @inlinable public var heapBytes: Int {
        let stride = MemoryLayout<Key>.stride + MemoryLayout<Value>.stride
        var bytes = storageBytes(of: self, capacity: capacity, count: count, stride: stride)
        if !(Key.self is any MemoryInline.Type) || !(Value.self is any MemoryInline.Type) {
            for (key, value) in self { bytes += key.heapBytes + value.heapBytes }
        }
        return bytes
    }
}

extension CollectionOfOne: MemorySized where Element: MemorySized {
    /// The element's.
    @inlinable public var heapBytes: Int { self[startIndex].heapBytes }
}

@usableFromInline
func storageBytes<Collection>(of collection: Collection, capacity: Int, count: Int, stride: Int) -> Int {
    ObjectMemory.bytes(ofStorage: collection) ?? HeapMemory.estimate(32 + max(capacity, count) * stride)
}

@inlinable
func elementBytes<Elements: Sequence>(_ elements: Elements) -> Int where Elements.Element: MemorySized {
    if Elements.Element.self is any MemoryInline.Type { return 0 }
    var bytes = 0
    for element in elements { bytes += element.heapBytes }
    return bytes
}

/// What several values hold together, for types that are made of them.
@inlinable
public func heapBytes<each Part: MemorySized>(of part: repeat each Part) -> Int {
    var bytes = 0
    for part in repeat each part { bytes += part.heapBytes }
    return bytes
}
