import OakumModel
import OakumTestKit
import Recycling
import Testing

/// Trials and rollovers: workers of two releases in one pool.
struct ReleaseTests {
    private static let next = ReleaseID("r2") ?? .configured
    private static let broken = ReleaseID("r3") ?? .configured

    private func serving(_ driver: PoolDriver, of release: ReleaseID) -> [UInt32] {
        driver.pool.serving.filter { $0.release == release }.map(\.number)
    }

    @Test func `a trial starts canaries and as many fresh ones of the current release, and touches nobody`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        let actions = driver.send(.trialWanted(candidate: Self.next, pairs: 2))
        #expect(
            driver.pool.releases == [
                1: .configured, 2: .configured, 3: Self.next, 4: .configured, 5: Self.next, 6: .configured,
            ])
        #expect(actions.orders.last == [1, 2, 3, 4, 5, 6])
        #expect(driver.pool.trial == Trial(candidate: Self.next, canaries: [3, 5], baselines: [4, 6]))
        for number in [3, 4, 5, 6] as [UInt32] { driver.serve(number) }
        #expect(driver.servingNumbers == [1, 2, 3, 4, 5, 6])
        driver.wait(100)
        #expect(driver.servingNumbers.count == 6)
    }

    @Test func `workers on trial are not recycled, and the others still are`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.send(.trialWanted(candidate: Self.next, pairs: 1))
        for number in [3, 4] as [UInt32] { driver.serve(number) }
        #expect(driver.request(3).startedRecycles.isEmpty && driver.request(4).startedRecycles.isEmpty)
        #expect(driver.request(1).startedRecycles.map(\.worker) == [1])
        #expect(driver.pool.releases[5] == .configured)
    }

    @Test func `a trial that is undone leaves the regular workers as they were`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.send(.trialWanted(candidate: Self.next, pairs: 1))
        driver.serve(3)
        driver.send(.trialEnded(keepsCanaries: false))
        #expect(driver.pool.ordered == [1, 2] && driver.pool.trial == nil)
        #expect(driver.pool.release == .configured)
    }

    @Test func `a promotion keeps the canaries, rolls over new first, and never has fewer than desired`() {
        var driver = PoolDriver(desired: 3, floor: 1)
        driver.serveAll()
        driver.send(.trialWanted(candidate: Self.next, pairs: 1))
        for number in [4, 5] as [UInt32] { driver.serve(number) }
        driver.send(.trialEnded(keepsCanaries: true))
        driver.send(.rolloverWanted(Self.next, atOnce: 1))
        // The canary takes the first place of an old one at once.
        #expect(driver.pool.ordered == [2, 3, 4, 6])
        var served: Set<UInt32> = [1, 2, 3, 4, 5]
        var notes: [PoolNote] = []
        while driver.pool.rollover != nil, driver.now < 100 {
            for number in driver.pool.ordered.subtracting(served).sorted() {
                served.insert(number)
                let process = driver.start(number, ready: true)
                driver.send(.probed(number, process, healthy: true))
            }
            notes += driver.wait(1.5).notes
            #expect(driver.pool.serving.count >= 3)
        }
        #expect(serving(driver, of: Self.next).count == 3 && driver.pool.ordered.count == 3)
        #expect(notes.contains { if case .rolloverFinished(Self.next, _) = $0 { true } else { false } })
        #expect(driver.pool.release == Self.next)
    }

    @Test func `eight workers roll over at once when that is asked for`() {
        var driver = PoolDriver(desired: 8, floor: 4)
        driver.serveAll()
        driver.send(.rolloverWanted(Self.next, atOnce: 8))
        #expect(driver.pool.ordered.count == 16)
        for number in driver.pool.ordered.sorted().suffix(8) {
            let process = driver.start(number, ready: true)
            driver.send(.probed(number, process, healthy: true))
        }
        driver.wait(1)
        #expect(driver.pool.rollover == nil && serving(driver, of: Self.next).count == 8)
        #expect(driver.pool.ordered.count == 8)
    }

    @Test(arguments: [true, false])
    func `a new worker that dies or is never ready ends the rollover, and the way back works`(_ dies: Bool) {
        var driver = PoolDriver(desired: 2, readyWithin: 30)
        driver.serveAll()
        driver.send(.rolloverWanted(Self.broken, atOnce: 1))
        let process = driver.start(3)
        let actions = dies ? driver.send(.exited(3, process, willRestart: true)) : driver.wait(31)
        let failed = actions.notes.contains { if case .rolloverFailed(Self.broken, 3, _) = $0 { true } else { false } }
        #expect(failed && driver.pool.rollover == nil)
        #expect(driver.servingNumbers == [1, 2])
        driver.send(.rolloverWanted(.configured, atOnce: 2))
        #expect(driver.pool.rollover == nil && driver.pool.ordered == [1, 2])
    }

    @Test func `a rollover waits for a recycle that is under way, and none begins meanwhile`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.request(1)
        driver.send(.rolloverWanted(Self.next, atOnce: 1))
        #expect(driver.pool.ordered == [1, 2, 3])
        driver.serve(3)
        driver.exit(1)
        #expect(driver.pool.ordered == [2, 3, 4] && driver.pool.releases[4] == Self.next)
        #expect(driver.request(2).startedRecycles.isEmpty)
    }

    @Test func `a recycle keeps the release of the worker it follows`() {
        var driver = PoolDriver(desired: 2)
        driver.serveAll()
        driver.send(.rolloverWanted(Self.next, atOnce: 2))
        for number in [3, 4] as [UInt32] { driver.serve(number) }
        for number in [1, 2] as [UInt32] { driver.exit(number) }
        driver.wait(10)
        driver.request(3)
        #expect(driver.pool.releases[5] == Self.next)
    }

    @Test func `after a restart of oakum a trial is known again`() {
        var driver = PoolDriver(desired: 2)
        let trial = Trial(candidate: Self.next, canaries: [3], baselines: [4])
        _ = driver.pool.begin(
            adopting: [1: .configured, 2: .configured, 3: Self.next, 4: .configured], trial: trial, at: driver.uptime)
        for number in [1, 2, 3, 4] as [UInt32] { driver.serve(number) }
        driver.wait(60)
        #expect(driver.servingNumbers == [1, 2, 3, 4])
        driver.send(.trialEnded(keepsCanaries: false))
        #expect(driver.pool.ordered == [1, 2])
    }

    /// Canaries crash, starts fail, rollovers are begun and taken back at any moment: whenever all is calm, there are as many
    /// workers as desired, all of the release asked for last or all that were left by a failure.
    @Test func `whatever is asked in whatever order, calm brings the desired number`() async throws {
        try await forAll(seeds: 200) { generator in
            let desired = generator.int(1...5)
            var driver = PoolDriver(
                desired: desired, floor: generator.int(0...desired), readyWithin: 8, minimumInterval: 0.5)
            driver.serveAll()
            for _ in 0..<120 {
                switch generator.int(0...11) {
                case 0: driver.send(.trialWanted(candidate: Self.next, pairs: generator.int(1...2)))
                case 1: driver.send(.trialEnded(keepsCanaries: generator.chance(0.5)))
                case 2:
                    driver.send(
                        .rolloverWanted(generator.chance(0.5) ? Self.next : .configured, atOnce: generator.int(1...4)))
                case 3:
                    if let number = generator.pick(driver.pool.ordered.sorted()) { driver.request(number, .byHand) }
                case 4:
                    if let number = generator.pick(driver.pool.ordered.sorted()) { driver.exit(number, restart: true) }
                default: driver.settle()
                }
                #expect(driver.pool.ordered.allSatisfy { driver.pool.workers[$0] != nil })
                #expect(driver.pool.ordered.count <= desired * 2 + 8)
            }
            driver.send(.trialEnded(keepsCanaries: false))
            driver.send(.rolloverWanted(Self.next, atOnce: 2))
            for _ in 0..<80 { driver.settle() }
            #expect(driver.pool.ordered.count == desired && driver.pool.serving.count == desired)
            #expect(driver.pool.serving.allSatisfy { $0.release == Self.next })
        }
    }
}

extension PoolDriver {
    /// What a keeper would do within a second: starts who is ordered and dead, ends who is not ordered.
    mutating func settle() {
        for number in pool.workers.keys.sorted() {
            guard let worker = pool.workers[number] else { continue }
            if !pool.ordered.contains(number) {
                exit(number)
            } else if worker.process == nil {
                start(number, ready: true)
            } else if let process = worker.process, worker.phase == .starting {
                send(.probed(number, process, healthy: true))
            }
        }
        wait(1)
    }
}
