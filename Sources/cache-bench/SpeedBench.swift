import BoundedCache
import CLinux
import Foundation
import Synchronization

/// Times look-ups beside peers, in rounds that take turns so that other jobs on the machine meet all alike; the best
/// round of each counts. Rounds last a few milliseconds: some of them run undisturbed even on a busy machine.
struct SpeedBench {
    struct Peer: Codable {
        var hit_ns: Double?
        var hits_per_s: Threads?
        /// Why there are no figures.
        var absent: String?
    }

    struct Threads: Codable {
        var one_thread: Double
        var two_threads: Double
    }

    static let entries = 10_000
    static let rounds = 60

    private let keys: [UInt64]

    init() {
        var state: UInt64 = 88_172_645_463_325_252
        keys = (0..<(1 << 16)).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % UInt64(SpeedBench.entries)
        }
    }

    /// Times everybody.
    /// - Parameter ristretto: the program that times Ristretto, or why there is none.
    mutating func run(into results: inout Results, ristretto: Result<String, Missing>) async {
        let cache = BoundedCachePeer(entries: SpeedBench.entries, policy: .s3fifo)
        let adaptive = BoundedCachePeer(entries: SpeedBench.entries, policy: .adaptive)
        let timings = time([
            ("", cache, 100_000), ("adaptive", adaptive, 50_000),
            ("mutex_bare_table", BareTablePeer(entries: SpeedBench.entries), 100_000),
            ("mutex_dictionary", DictionaryPeer(entries: SpeedBench.entries), 100_000),
            ("nscache", NSCachePeer(entries: SpeedBench.entries), 5_000),
        ])
        var peers: [String: Peer] = [:]
        for (name, timing) in timings { peers[name] = Peer(hit_ns: timing.hit_ns, hits_per_s: timing.hits_per_s) }
        let own = peers.removeValue(forKey: "")
        peers["actor"] = await timeActor()
        peers["ristretto"] = timeRistretto(ristretto)
        results.hit_ns = own?.hit_ns
        results.hits_per_s = own?.hits_per_s
        if let own = own?.hit_ns, let bare = peers["mutex_bare_table"]?.hit_ns {
            results.hit_over_bare_table = rounded(own / bare)
        }
        results.peers = peers
        results.insert_evicting_ns = [10_000, 100_000, 1_000_000].map {
            Results.Insertion(entries: $0, ns: rounded(timeInsertions(entries: $0)))
        }
    }

    // MARK: - Look-ups

    private struct Timing {
        var hit_ns = Double.infinity
        var two = Double.infinity
        var hits_per_s: Threads {
            Threads(one_thread: (1e9 / hit_ns).rounded(), two_threads: (1e9 / two).rounded())
        }
    }

    private func time(_ peers: [(name: String, peer: any SpeedPeer, count: Int)]) -> [String: Peer] {
        var timings: [String: Timing] = [:]
        for round in 0..<SpeedBench.rounds {
            for (name, peer, count) in peers {
                var timing = timings[name] ?? Timing()
                timing.hit_ns = min(timing.hit_ns, elapsed(peer, threads: 1, count: count))
                timing.two = min(timing.two, elapsed(peer, threads: 2, count: count))
                timings[name] = timing
            }
            if round % 20 == 19 { note("look-ups: round \(round + 1) of \(SpeedBench.rounds)") }
        }
        return timings.mapValues { Peer(hit_ns: rounded($0.hit_ns), hits_per_s: $0.hits_per_s) }
    }

    /// Nanoseconds of wall time for each look-up of all threads together.
    private func elapsed(_ peer: any SpeedPeer, threads: Int, count: Int) -> Double {
        let keys = keys
        let sum = Atomic<UInt64>(0)
        let ready = Atomic<Int>(0)
        let clock = ContinuousClock()
        let start = Mutex<ContinuousClock.Instant?>(nil)
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            ready.add(1, ordering: .acquiringAndReleasing)
            // Threads begin together; at most a moment, and only here.
            while ready.load(ordering: .acquiring) < threads {}
            start.withLock { $0 = $0 ?? clock.now }
            sum.add(peer.lookUp(keys, from: thread * 7_919, count: count), ordering: .relaxed)
        }
        let end = clock.now
        guard let start = start.withLock({ $0 }), sum.load(ordering: .relaxed) > 0 else { return .infinity }
        return (end - start) / .nanoseconds(1) / Double(threads * count)
    }

    private func timeActor() async -> Peer {
        let peer = ActorPeer(entries: SpeedBench.entries)
        var best = [Double.infinity, Double.infinity]
        let count = 20_000
        let keys = keys
        for _ in 0..<30 {
            for threads in 1...2 {
                let start = ContinuousClock.now
                let sum = await withTaskGroup(of: UInt64.self) { group in
                    for thread in 0..<threads {
                        group.addTask { @concurrent in
                            var sum: UInt64 = 0
                            for turn in 0..<count {
                                sum &+= await peer.value(keys[(turn + thread * 7_919) & (keys.count - 1)]) ?? 0
                            }
                            return sum
                        }
                    }
                    return await group.reduce(0, &+)
                }
                guard sum > 0 else { continue }
                let elapsed = (ContinuousClock.now - start) / .nanoseconds(1) / Double(threads * count)
                best[threads - 1] = min(best[threads - 1], elapsed)
            }
        }
        return Peer(
            hit_ns: rounded(best[0]),
            hits_per_s: Threads(one_thread: (1e9 / best[0]).rounded(), two_threads: (1e9 / best[1]).rounded()))
    }

    // MARK: - Insertions

    /// Nanoseconds for an insertion into a full cache, each of which evicts: the same for any size but for the memory's
    /// own latency, if eviction is O(1).
    private func timeInsertions(entries: Int) -> Double {
        let cache = BoundedCache<UInt64, UInt64>(
            CacheSettings(name: "bench", bound: .entries(entries)), heapBytes: nil)
        var next: UInt64 = 0
        var best = Double.infinity
        for round in 0..<60 {
            let count = round == 0 ? entries * 2 : 10_000
            let start = ContinuousClock.now
            for _ in 0..<count {
                next &+= 1
                cache.insert(next, for: next)
            }
            if round > 0 { best = min(best, (ContinuousClock.now - start) / .nanoseconds(1) / Double(count)) }
        }
        return best
    }

    // MARK: - Ristretto

    struct Missing: Error {
        var reason: String
    }

    private func timeRistretto(_ program: Result<String, Missing>) -> Peer {
        do {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: try program.get())
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            let figures = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            guard process.terminationStatus == 0, figures.count == 3, figures[0] > 0, figures[1] > 0 else {
                throw Missing(reason: "it ended with status \(process.terminationStatus)")
            }
            return Peer(
                hit_ns: figures[0],
                hits_per_s: Threads(
                    one_thread: (1e9 / figures[0]).rounded(), two_threads: (1e9 / figures[1]).rounded()))
        } catch let missing as Missing {
            return Peer(absent: missing.reason)
        } catch {
            return Peer(absent: "\(error)")
        }
    }
}
