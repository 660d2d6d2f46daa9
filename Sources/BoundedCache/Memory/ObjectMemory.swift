/// What Swift objects really cost on the heap.
///
/// A Swift object is one block of `malloc`: its address leads to the size the allocator gave it. Constants of the program
/// (empty collections, literals) are objects too, but lie in the program's own memory; the runtime marks them as immortal
/// in the second word of their header (RefCount.h of the Swift runtime: the lower half is all ones).
public enum ObjectMemory {
    /// Bytes of the block that holds the object, with the allocator's share; 0 for constants of the program.
    ///
    /// What the object refers to is not included.
    public static func bytes(of object: AnyObject) -> Int {
        bytes(at: UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque()))
    }

    /// The same for a collection of the standard library, which is nothing but a reference to its storage.
    ///
    /// - Returns: nil when the value is not laid out that way.
    @inlinable
    static func bytes<Collection>(ofStorage collection: Collection) -> Int? {
        guard MemoryLayout<Collection>.size == MemoryLayout<UnsafeRawPointer>.size else { return nil }
        return withUnsafeBytes(of: collection) { reference in
            bytes(at: reference.load(as: UnsafeRawPointer.self))
        }
    }

    @usableFromInline
    static func bytes(at object: UnsafeRawPointer) -> Int {
        let references = object.load(fromByteOffset: 8, as: UInt32.self)
        return references == .max ? 0 : HeapMemory.bytes(at: object)
    }

    /// Bytes of the block behind a string; 0 when it is small enough (15 bytes of UTF-8) to need none, or a literal.
    ///
    /// A native string's text lies 32 bytes into its object; bit 61 of its first word says that it is native, bit 63 of
    /// the second that it needs no counting of references (StringObject.swift). Should a later Swift change this, which
    /// `knowsStrings` finds out, the size is estimated from the length, and can then be too low by spare capacity.
    static func bytes(of string: String) -> Int {
        let words = unsafeBitCast(string, to: (UInt64, UInt64).self)
        guard knowsStrings else { return estimate(string) }
        if words.1 >> 63 == 1 { return 0 }
        guard words.0 >> 61 & 1 == 1, let object = UnsafeRawPointer(bitPattern: UInt(words.1 & 0x0FFF_FFFF_FFFF_FFFF))
        else { return estimate(string) }
        return bytes(at: object)
    }

    private static func estimate(_ string: String) -> Int {
        string.utf8.count <= 15 ? 0 : HeapMemory.estimate(32 + string.utf8.count + 1)
    }

    /// Whether strings are laid out as this code believes.
    private static let knowsStrings: Bool = {
        let length = 100
        var native = String(repeating: "x", count: length)
        native.append("y")
        let words = unsafeBitCast(native, to: (UInt64, UInt64).self)
        let address = UInt(words.1 & 0x0FFF_FFFF_FFFF_FFFF)
        let text = native.utf8.withContiguousStorageIfAvailable { UInt(bitPattern: $0.baseAddress) }
        let small = unsafeBitCast(String("small"), to: (UInt64, UInt64).self)
        let literal = unsafeBitCast("a literal of more than fifteen bytes", to: (UInt64, UInt64).self)
        return words.1 >> 63 == 0 && words.0 >> 61 & 1 == 1 && text == address + 32 && small.1 >> 63 == 1
            && literal.1 >> 63 == 1
    }()
}
