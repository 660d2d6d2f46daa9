import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// How right the forecasts are of what a recycle buys.
@Suite(.timeLimit(.minutes(10)))
struct PurchaseTests {
    @Test(arguments: [0.0, 15, 40])
    func `a warm-up is not taken for a part of the leak`(warmUp: Double) async throws {
        let leaky = [
            "web": KeeperModel(seed: 1) { _, _ in
                var behaviour = KeeperModel.Behaviour()
                behaviour.growthPerSecond = 1_048_576
                return behaviour
            }
        ]
        try await EngineSimulation.run(keepers: leaky) { (oakum) throws in
            oakum.world.with { $0.warmUpBytes = warmUp * 1_048_576 }
            oakum.start(.web(workers: 2, budget: 220))
            oakum.advance(600)
            let told = oakum.journal.events(.slopeAfterwards).compactMap { event -> (Double, Double)? in
                guard let observed = event.facts["observed_s"].flatMap(Double.init),
                    let predicted = event.facts["predicted_s"].flatMap(Double.init)
                else { return nil }
                return (predicted, observed)
            }
            #expect(told.count >= 4)
            #expect(told.allSatisfy { abs($0 - $1) <= 0.2 * $1 }, "\(told)")
        }
    }

    @Test func `a successor is expected to get an even share of the requests`() async throws {
        // The first worker gets twice as much as its successors will, and leaks twice as fast.
        let uneven = [
            "web": KeeperModel(seed: 1) { number, _ in
                var behaviour = KeeperModel.Behaviour()
                behaviour.growthPerSecond = number == 1 ? 1_600_000 : number == 2 ? 400_000 : 1_000_000
                return behaviour
            }
        ]
        try await EngineSimulation.run(keepers: uneven) { (oakum) throws in
            oakum.start(.web(workers: 2, budget: 300))
            var answered: [UInt32: Double] = [:]
            for _ in 0..<500 {
                for number in try oakum.serving() {
                    answered[number, default: 0] += number == 1 ? 160 : number == 2 ? 40 : 100
                }
                let now = answered
                oakum.world.with { state in
                    for (number, count) in now {
                        var measures = ServiceMeasures()
                        measures.requests = count
                        state.measures[number] = measures
                    }
                }
                oakum.advance(1)
            }
            let first = try #require(oakum.journal.events(.recycleFinished).first { $0.worker == 1 })
            let predicted = try #require(first.facts["predicted_s"].flatMap(Double.init))
            let end = try #require(
                oakum.journal.events(.slopeAfterwards).first { $0.facts["observed_s"] != nil })
            let observed = try #require(end.facts["observed_s"].flatMap(Double.init))
            #expect(abs(predicted - observed) <= 0.2 * observed, "\(predicted) \(observed)")
        }
    }
}
