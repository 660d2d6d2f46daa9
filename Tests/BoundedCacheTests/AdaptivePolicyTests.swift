import OakumTestKit
import Testing

@testable import BoundedCache

@Suite(.timeLimit(.minutes(3)))
struct AdaptivePolicyTests {
    /// The owner of a policy: slots with tags and weights, and a bound, as a cache has them.
    private struct Owner: ~Copyable {
        var store = SlotStore(stride: 24, chunkSlots: 16)
        var state: EvictionState
        var live: [Slot] = []
        var held = 0
        let capacity: Int

        init(_ policy: EvictionPolicy, capacity: Int) {
            self.capacity = capacity
            state = EvictionState(policy, capacity: capacity, entries: 16, seed: 7)
        }

        mutating func insert(tag: UInt32, weight: Int, growing: Bool, announcing: Bool) {
            if growing, state.growth > 0 { state.grow() }
            if announcing { state.announce(tag: tag, weight: UInt32(weight), in: store) }
            while held + weight > capacity, evict() {}
            let slot = store.take(tag: tag, weight: UInt32(weight))
            held += weight
            live.append(slot)
            state.admit(slot, in: store)
        }

        /// False when the policy knows nobody.
        mutating func evict() -> Bool {
            guard let slot = state.evict(in: store) else { return false }
            forget(slot)
            return true
        }

        mutating func remove(at index: Int) {
            state.remove(live[index], in: store)
            forget(live[index])
        }

        mutating func relocate(at index: Int) {
            let old = live[index]
            let record = store.record(old).pointee
            let new = store.take(tag: record.tag, weight: record.weight)
            store.record(new).pointee = record
            state.relocate(from: old, to: new, in: store)
            live[index] = new
            store.free(old)
        }

        mutating func reweigh(at index: Int, to weight: Int) {
            let record = store.record(live[index])
            let difference = weight - Int(record.pointee.weight)
            record.pointee.weight = UInt32(weight)
            held += difference
            state.reweigh(live[index], by: difference, in: store)
        }

        mutating func hit(at index: Int) { state.hit(live[index], in: store) }

        private mutating func forget(_ slot: Slot) {
            guard let index = live.firstIndex(of: slot) else {
                Issue.record("slot \(slot) left twice")
                return
            }
            live.swapAt(index, live.count - 1)
            live.removeLast()
            held -= Int(store.record(slot).pointee.weight)
            store.free(slot)
        }
    }

    @Test(arguments: EvictionPolicy.allCases)
    func `every entry leaves once, whatever its owner does, equal hashes included`(policy: EvictionPolicy) async throws
    {
        try await forAll(seeds: 30) { generator in
            var owner = Owner(policy, capacity: generator.int(5...400))
            // Few tags, so that different entries share one.
            let tags = generator.int(1...300)
            let heaviest = generator.int(1...9)
            let grows = generator.int(0...4)
            for _ in 0..<4_000 {
                let index = owner.live.isEmpty ? nil : generator.int(0...owner.live.count - 1)
                switch (generator.int(0...19), index) {
                case (0, let index?): owner.remove(at: index)
                case (1, let index?): owner.relocate(at: index)
                case (2, let index?): owner.reweigh(at: index, to: generator.int(1...heaviest))
                case (3, _): owner.state.setCapacity(generator.int(1...400))
                case (4...10, let index?): owner.hit(at: index)
                default:
                    owner.insert(
                        tag: UInt32(generator.int(0...tags)), weight: generator.int(1...heaviest),
                        growing: generator.int(0...4) >= grows, announcing: generator.int(0...3) > 0)
                }
            }
            while owner.evict() {}
            #expect(owner.live == [])
            #expect(owner.held == 0)
        }
    }

    @Test func `memory stays in step with the entries`() {
        var owner = Owner(.adaptive, capacity: 1_000)
        var most = 0
        for turn in 0..<60_000 {
            owner.insert(
                tag: UInt32(turn &* 2_654_435_761 >> 7 & 0xFFFF_FFFF), weight: 1, growing: true, announcing: true)
            most = max(most, owner.state.bytes)
        }
        // Two shadows of 36 bytes an entry, the sketch, the ghost queue, and the chunks and tables being not quite full.
        #expect(most < 1_000 * 130)
    }

    @Test func `it follows the policy that does better, and changes its mind`() {
        var simulator = PolicySimulator(policy: .adaptive, capacity: 200, seed: 3)
        var generator = SeededGenerator(seed: 11)
        // A loop half as large again as the cache: at best two thirds are hits; S3-FIFO has 0.39, and later 0.
        let loop = hits(&simulator, 60_000) { UInt64($0 % 300) }
        #expect(loop > 0.55)
        // New keys all the time, each used again soon: only recency helps; S3-FIFO has 0.24.
        let recent = hits(&simulator, 100_000) { turn in
            UInt64(1_000 + turn / 2 - (turn % 2 == 0 ? 0 : generator.int(0...80)))
        }
        #expect(recent > 0.38)
        #expect(hits(&simulator, 100_000) { UInt64($0 % 300) } > 0.42)
    }

    private func hits(_ simulator: inout PolicySimulator, _ count: Int, _ key: (Int) -> UInt64) -> Double {
        var hits = 0
        for turn in 0..<count where simulator.access(keyHash: key(turn)) { hits += 1 }
        return Double(hits) / Double(count)
    }
}
