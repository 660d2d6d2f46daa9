import OakumModel
import OakumTestKit
import Recycling
import Testing

@Suite(.timeLimit(.minutes(10)))
struct PoolPropertyTests {
    @Test func `whatever happens, the rules hold, and when crashes stop all is well again`() async throws {
        try await forAll(seeds: 80) { generator in
            var simulation = PoolSimulation(generator: &generator, weather: .init())
            simulation.run(until: 400)
            simulation.calm(seconds: 3_800)
            expectWell(simulation)
        }
    }

    @Test func `oakum may die at any moment of a recycle`() async throws {
        try await forAll(seeds: 60) { generator in
            let weather = PoolSimulation.Weather(
                crash: 0.05, neverReady: 0.05, startFails: 0, badProbe: 0.05, lateSignals: 0.5, requests: 0.5,
                deaths: 0.15, strange: 0, pauses: 0, kills: 0)
            var simulation = PoolSimulation(generator: &generator, weather: weather)
            simulation.run(until: 200)
            #expect(simulation.deaths > 5)
            simulation.calm(seconds: 3_800)
            expectWell(simulation)
        }
    }

    @Test func `without faults every wish is granted, and the service never loses a worker`() async throws {
        try await forAll(seeds: 30) { generator in
            let weather = PoolSimulation.Weather(
                crash: 0, neverReady: 0, startFails: 0, badProbe: 0, lateSignals: 0.5, requests: 0.2, deaths: 0,
                strange: 0, pauses: 0, kills: 0)
            var simulation = PoolSimulation(generator: &generator, weather: weather)
            simulation.run(until: 30)
            #expect(simulation.watched.pool.serving.count >= simulation.settings.desired)
            while simulation.now < 600 {
                simulation.run(until: simulation.now + 1)
                #expect(simulation.watched.pool.serving.count >= simulation.settings.desired)
            }
            #expect(simulation.finished > 2)
        }
    }

    private func expectWell(_ simulation: PoolSimulation) {
        let pool = simulation.watched.pool
        #expect(pool.serving.count == simulation.settings.desired)
        #expect(pool.workers.count == simulation.settings.desired)
        #expect(pool.current == nil)
        #expect(pool.waiting.isEmpty)
        #expect(simulation.keeper.order == pool.ordered)
        #expect(Set(simulation.keeper.living.map(\.number)) == pool.ordered)
    }
}
