import OakumTestKit
import Testing

@testable import BoundedCache

/// Keys that follow each other, in steps of any width, are spread as if they did not: whatever numbers the process has drawn.
@Suite struct KeyHashTests {
    @Test(arguments: [1, 2, 10, 64, 1_000, 4_096, 86_400, 1 << 20, 1 << 32, 1 << 40] as [UInt64])
    func `numbers in a row meet few others in the index and fill shards alike`(step: UInt64) async throws {
        try await forAll(seeds: 40) { generator in
            let hash = KeyHash(first: generator.next(), second: generator.next())
            let start = generator.next() >> 1
            var shards = [Int](repeating: 0, count: 8)
            let size = 1_842
            var isTaken = [Bool](repeating: false, count: size)
            var steps = 0
            let index = HashIndex(size: size)
            // As many as such a table holds when it is about to grow by half again.
            for number in 0..<UInt64(1_250) {
                let key = hash.hash(start &+ number &* step)
                shards[Int(truncatingIfNeeded: key >> 32) & 7] += 1
                var position = index.home(UInt32(truncatingIfNeeded: key))
                while isTaken[position] {
                    position = index.after(position)
                    steps += 1
                }
                isTaken[position] = true
            }
            // Knuth (volume 3, section 6.4): at 68 % linear probing goes on by 1.06 cells on average.
            #expect(steps < 1_250 * 2, "\(steps) steps")
            #expect(shards.allSatisfy { (90...230).contains($0) }, "\(shards)")
        }
    }

    @Test func `numbers of one value have one hash, whatever their type`() {
        let hash = KeyHash(first: 3, second: 5)
        #expect(hash.hash(7 as Int) == hash.hash(7 as UInt64))
        #expect(hash.hash(7 as Int) != hash.hash(8 as Int))
        #expect(hash.hash("a string") == hash.hash(String("a string".reversed().reversed())))
    }
}
