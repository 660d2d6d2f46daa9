import BoundedCache
import OakumTestKit
import Testing

@Suite struct PolicySimulatorTests {
    @Test(arguments: EvictionPolicy.allCases)
    func `the capacity holds after every access, whatever the weights`(policy: EvictionPolicy) async throws {
        try await forAll(seeds: 20) { generator in
            let capacity = generator.int(1...500)
            var simulator = PolicySimulator(policy: policy, capacity: capacity, seed: generator.next())
            var present: Set<UInt64> = []
            for _ in 0..<5_000 {
                let key = UInt64(generator.int(0...400))
                let hit = simulator.access(keyHash: key, weight: 1 + Int(key % 7))
                if hit { #expect(present.contains(key)) }
                present.insert(key)
                #expect(simulator.weight <= capacity)
            }
        }
    }
}
