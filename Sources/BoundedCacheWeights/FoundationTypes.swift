public import BoundedCache
// The types that are weighed here are Foundation's own; the essentials are enough.
public import FoundationEssentials

extension UUID: MemoryInline {}
extension Date: MemoryInline {}

extension Data: MemorySized {
    /// The storage with its spare capacity, in full also for a slice, which keeps all of it alive; 0 for up to 14 bytes that
    /// lie in the value itself.
    ///
    /// Memory that somebody else provided (a mapped file, `bytesNoCopy`) counts by its length, though it may not lie on
    /// the heap: too much rather than too little.
    public var heapBytes: Int {
        DataLayout.checked?.bytes(of: self) ?? DataLayout.estimate(self)
    }
}

/// Where a `Data` keeps what it does not show: whether it has storage at all, and how much that could take.
///
/// The second word of the value is a reference to the storage, with the form (bytes in place, slice, large slice, empty)
/// in its upper byte. The storage is an object with the address of the bytes at 16, their number at 24, the capacity at 32
/// and what is to free them at 48 (Data.swift and DataStorage.swift of swift-foundation). `checked` tries that on values
/// whose content is known, and is nil should a later Foundation be laid out in another way; sizes are estimated then.
struct DataLayout: Sendable {
    /// The upper byte of a slice of less than 2 GiB, and of a value without storage.
    private let slice: UInt64
    private let inPlace: UInt64
    private let empty: UInt64

    static let checked = DataLayout()

    private init?() {
        guard MemoryLayout<Data>.size == 16 else { return nil }
        var sample = Data(capacity: 1_000)
        sample.append(contentsOf: (0..<700).map { UInt8(truncatingIfNeeded: $0) })
        let word = DataLayout.reference(sample)
        slice = word >> 56
        inPlace = DataLayout.reference(Data([1, 2, 3])) >> 56
        empty = DataLayout.reference(Data()) >> 56
        guard slice != inPlace, slice != empty, let storage = DataLayout.address(word), storage.isAligned else {
            return nil
        }
        let begin = sample.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        guard storage.load(fromByteOffset: 16, as: UInt.self) == begin,
            storage.load(fromByteOffset: 24, as: Int.self) == 700,
            storage.load(fromByteOffset: 32, as: Int.self) >= 1_000,
            storage.load(fromByteOffset: 48, as: UInt.self) == 0
        else { return nil }
    }

    func bytes(of data: Data) -> Int {
        let word = DataLayout.reference(data)
        let form = word >> 56
        if form == inPlace || form == empty { return 0 }
        guard let storage = DataLayout.address(word) else { return DataLayout.estimate(data) }
        // A larger one has its bounds in another object, of two words.
        let own = HeapMemory.bytes(at: storage) + (form == slice ? 0 : HeapMemory.estimate(32))
        guard storage.load(fromByteOffset: 48, as: UInt.self) == 0 else {
            return own + HeapMemory.likely(storage.load(fromByteOffset: 24, as: Int.self))
        }
        guard let block = storage.load(fromByteOffset: 16, as: UnsafeRawPointer?.self) else { return own }
        return own + HeapMemory.bytes(at: block)
    }

    /// Too low by spare capacity.
    static func estimate(_ data: Data) -> Int {
        data.count <= 14 ? 0 : HeapMemory.estimate(72) + HeapMemory.likely(data.endIndex)
    }

    private static func reference(_ data: Data) -> UInt64 {
        withUnsafeBytes(of: data) { $0.load(fromByteOffset: 8, as: UInt64.self) }
    }

    private static func address(_ word: UInt64) -> UnsafeRawPointer? {
        UnsafeRawPointer(bitPattern: UInt(word & 0x00FF_FFFF_FFFF_FFFF))
    }
}

extension UnsafeRawPointer {
    /// As every object of Swift is, far above the first pages.
    fileprivate var isAligned: Bool { UInt(bitPattern: self) % 16 == 0 && UInt(bitPattern: self) > 65_536 }
}
