import BoundedCache
import BoundedCacheWeights
import CLinux
import Foundation  // Data with its mapped files and foreign memory
import Glibc
import NIOCore
import OakumTestKit
import Testing

/// What values say they hold against the allocator's own count, in processes of their own.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: !Sanitizer.isOn, "a sanitizer brings its own allocator"))
struct `Weights of Data and ByteBuffer` {
    @Test func `data holds what the allocator counts, whatever way it came to be`() async {
        await #expect(processExitsWith: .success) {
            try expectCounted(tolerance: 0.02) { index in Data(repeating: 1, count: index * 7) }
            try expectCounted(tolerance: 0.02) { index in Data(capacity: 1_000 + index) }
            try expectCounted(tolerance: 0.02) { index in
                var grown = Data()
                for number in 0..<(index * 3) { grown.append(UInt8(truncatingIfNeeded: number)) }
                return grown
            }
            try expectCounted(tolerance: 0.02) { index in Data(String(repeating: "x", count: index).utf8) }
            try expectCounted(tolerance: 0.02, count: 40) { index in Data(repeating: 2, count: 20_000 * index) }
            try expectCounted(tolerance: 0.02) { index in Data(repeating: 3, count: 300 + index)[5..<9] }
        }
    }

    @Test func `memory that somebody else allocated for data counts by its length`() async {
        await #expect(processExitsWith: .success) {
            // The closure that is to free it may be an object of its own.
            try expectCounted(tolerance: 0.03) { index in
                let size = 2_000 + index
                guard let block = malloc(size) else { throw Miss(said: 0, counted: size) }
                memset(block, 1, size)
                return Data(bytesNoCopy: block, count: size, deallocator: .free)
            }
        }
    }

    @Test func `a mapped file is no reason to crash, and counts in full`() throws {
        let path = try #require(Bundle.main.executablePath)
        let mapped = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        #expect(mapped.heapBytes >= mapped.count)
        #expect(mapped.heapBytes < mapped.count + 8_192)
    }

    @Test func `what fits into the value holds nothing`() {
        #expect(Data().heapBytes == 0)
        #expect(Data([1, 2, 3]).heapBytes == 0)
        #expect(Data(repeating: 255, count: 14).heapBytes == 0)
        #expect(Data(repeating: 255, count: 15).heapBytes > 0)
        #expect(UUID().heapBytes == 0 && Date().heapBytes == 0)
        #expect(ByteBuffer().heapBytes == 0)
    }

    @Test func `buffers hold what the allocator counts, slices in full`() async {
        await #expect(processExitsWith: .success) {
            try expectCounted(tolerance: 0.02) { index in ByteBuffer(repeating: 1, count: 1 + index * 7) }
            try expectCounted(tolerance: 0.03, count: 40) { index in
                ByteBuffer(repeating: 2, count: 20_000 * (index + 1))
            }
            try expectCounted(tolerance: 0.02) { index in
                var buffer = ByteBuffer(string: "begin")
                for _ in 0..<index { buffer.writeInteger(index) }
                return buffer
            }
            try expectCounted(tolerance: 0.02) { index in
                let whole = ByteBuffer(repeating: 3, count: 500 + index)
                guard let slice = whole.getSlice(at: 100, length: 10) else { throw Miss(said: 0, counted: 10) }
                return slice
            }
        }
    }

    @Test func `a cache of data and buffers holds what the allocator counts`() async {
        await #expect(processExitsWith: .success) {
            for seed in [1, 2] as [UInt64] {
                var generator = SeededGenerator(seed: seed)
                let before = allocated()
                let bodies = BoundedCache<UUID, Data>(CacheSettings(name: "bodies", bound: .bytes(16 << 20)))
                let frames = BoundedCache<UInt64, ByteBuffer>(CacheSettings(name: "frames", bound: .bytes(8 << 20)))
                for index in 0..<30_000 {
                    bodies.insert(Data(repeating: 1, count: generator.int(0...2_000)), for: UUID())
                    frames.insert(ByteBuffer(repeating: 1, count: generator.int(0...1_500)), for: UInt64(index))
                }
                let counted = allocated() - before
                let held = bodies.heldBytes + frames.heldBytes
                // The first round warms up what allocates once.
                guard seed == 1 || abs(held - counted) * 100 <= counted * 3 else {
                    throw Miss(said: held, counted: counted)
                }
            }
        }
    }
}

private struct Miss: Error, CustomStringConvertible {
    var said: Int
    var counted: Int
    var description: String { "the values say \(said), the allocator \(counted)" }
}

/// Makes values, each of other size, and compares what they say with what was allocated for them.
///
/// Others of the same sizes are made first and kept: the allocator keeps freed blocks in hand, and counts them as used.
private func expectCounted<Value: MemorySized>(
    tolerance: Double, count: Int = 1_500, _ make: (Int) throws -> Value
) throws {
    var values: [Value] = []
    values.reserveCapacity(2 * count)
    for index in 0..<count { values.append(try make(index)) }
    let before = allocated()
    for index in 0..<count { values.append(try make(index)) }
    let counted = allocated() - before
    let said = values.dropFirst(count).reduce(0) { $0 + $1.heapBytes }
    guard abs(Double(said - counted)) <= tolerance * Double(counted) else { throw Miss(said: said, counted: counted) }
}

/// Bytes in use by the allocator's own count: in its arenas and in blocks mapped by themselves.
private func allocated() -> Int {
    let info = mallinfo2()
    return info.uordblks + info.hblkhd
}
