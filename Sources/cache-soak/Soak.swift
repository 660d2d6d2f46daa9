import BoundedCache
import CLinux
import Foundation

/// The course of a soak: load, looks, resizes, a table, and a judgement at its end.
struct Soak {
    /// What was seen between two lines of the table.
    private struct Row {
        var seconds = 0.0
        var worstHeld = 0
        var allocated = 0
        var resident = 0
    }

    private let options: SoakOptions
    private let rows = 12

    init(_ options: SoakOptions) { self.options = options }

    /// - Returns: what was not bounded; empty when all was.
    func run() async -> [String] {
        // What the process needs by itself, threads and their caches of free blocks included, is measured, not guessed.
        _ = await soak(seconds: min(1, options.seconds / 4), tells: false)
        malloc_trim(0)
        let base = Soak.allocated()
        let (problems, end) = await soak(seconds: options.seconds, tells: true)
        malloc_trim(0)
        let left = Soak.allocated() - base
        say("with the caches gone \(Soak.mebibytes(left)) are left, \(Soak.mebibytes(Soak.resident())) resident")
        // Each thread may keep a few hundred KiB of freed blocks for itself, which the allocator counts as in use.
        return problems + end + (left > 4 << 20 ? ["\(left) bytes are left when the caches are gone"] : [])
    }

    /// - Returns: what went wrong on the way, and what at the end.
    private func soak(seconds: Double, tells: Bool) async -> ([String], [String]) {
        let before = Soak.allocated()
        let caches = SoakCaches()
        let load = SoakLoad(caches: caches)
        let seed = options.seed
        var problems: [String] = []
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<SoakLoad.workers {
                group.addTask { await load.work(seed: seed &* 1_000 &+ UInt64(worker)) }
            }
            for loader in 0..<SoakLoad.loaders {
                group.addTask { await load.load(seed: seed &* 1_000 &+ 500 &+ UInt64(loader)) }
            }
            group.addTask { await caches.texts.runRefreshes() }
            problems = await watch(load, seconds: seconds, base: before, tells: tells)
            load.isOver.set()
            group.cancelAll()
        }
        return (problems, tells ? judgement(load, base: before) : [])
    }

    /// Looks at the caches all the time, changes their bounds twice a second, and writes the table.
    private func watch(_ load: SoakLoad, seconds: Double, base: Int, tells: Bool) async -> [String] {
        var problems: [String] = []
        var table: [Row] = []
        var random = SoakRandom(seed: options.seed &+ 77)
        var percent = 100
        var row = Row()
        let clock = ContinuousClock()
        let begin = clock.now
        var resizedAt = begin
        if tells { say("      s    held   bound   allocated  resident    entries   hits  rounds") }
        while true {
            let now = clock.now
            let passed = (now - begin) / .seconds(1)
            let texts = load.caches.texts.heldBytes
            let numbers = load.caches.numbers.heldBytes
            row.worstHeld = max(row.worstHeld, texts + numbers)
            for (name, held, whole) in [("texts", texts, SoakCaches.texts), ("numbers", numbers, SoakCaches.numbers)]
            where held > max(whole / 100 * percent, 256 << 10) && problems.count < 20 {
                problems.append("\(name) held \(held) bytes of \(whole / 100 * percent) after \(Int(passed)) s")
            }
            if now - resizedAt > .milliseconds(500) {
                percent = [100, 100, 70, 40, 10][random.below(5)]
                load.caches.resize(percent: percent)
                resizedAt = now
            }
            if passed >= seconds * Double(table.count + 1) / Double(rows) {
                row.seconds = passed
                row.allocated = Soak.allocated() - base
                row.resident = Soak.resident()
                table.append(row)
                if tells { say(line(row, load, percent)) }
                row = Row()
            }
            if passed >= seconds { break }
            // Nobody cancels this; a look that comes early is as good.
            try? await Task.sleep(for: .milliseconds(2))
        }
        load.caches.resize(percent: 100)
        return problems + growth(table)
    }

    /// The last third of the lines beside the first.
    private func growth(_ table: [Row]) -> [String] {
        guard table.count >= 9 else { return ["there was no time to look \(rows) times"] }
        let third = table.count / 3
        func most(_ rows: ArraySlice<Row>, _ value: (Row) -> Int) -> Int { rows.map(value).max() ?? 0 }
        return [("allocated", \Row.allocated), ("resident", \Row.resident)].compactMap { name, path in
            let early = most(table.prefix(third)) { $0[keyPath: path] }
            let late = most(table.suffix(third)) { $0[keyPath: path] }
            // A tenth of the bounds: the bound itself changes all the time, and so does what the looks meet.
            guard late > early + early / 10 + (SoakCaches.texts + SoakCaches.numbers) / 4 else { return nil }
            return "\(name) memory grew from \(Soak.mebibytes(early)) to \(Soak.mebibytes(late))"
        }
    }

    /// With nobody at work any more: the caches' own count beside the allocator's, and that everything was in use.
    private func judgement(_ load: SoakLoad, base: Int) -> [String] {
        var problems: [String] = []
        let counted = Soak.allocated() - base
        let held = load.caches.heldBytes
        say("at rest: held \(Soak.mebibytes(held)), by the allocator \(Soak.mebibytes(counted))")
        if abs(counted - held) > counted * 3 / 100 + 4 << 20 {
            problems.append("at rest the caches say \(held) bytes and the allocator \(counted)")
        }
        let texts = load.caches.texts.statistics
        let numbers = load.caches.numbers.statistics
        for (what, count) in [
            ("hits", texts.hits), ("expiries", texts.removals.expired), ("evictions", numbers.removals.evicted),
            ("replacements", texts.removals.replaced), ("invalidations", texts.removals.invalidated),
            ("loads", texts.loads), ("failed loads", texts.loadFailures), ("remembered absences", texts.negativeHits),
        ] where count == 0 {
            problems.append("there were no \(what): the load was none")
        }
        let removed = texts.removals.total
        if UInt64(load.caches.heard.value) != removed {
            problems.append("the listener heard of \(load.caches.heard.value) removals of \(removed)")
        }
        return problems
    }

    private func line(_ row: Row, _ load: SoakLoad, _ percent: Int) -> String {
        let texts = load.caches.texts
        let numbers = load.caches.numbers
        let bound = (SoakCaches.texts + SoakCaches.numbers) / 100 * percent
        return String(
            format: "%7.0f %7.1f %7.1f  %10.1f %9.1f %10d %5.1f%% %7d", row.seconds, Double(row.worstHeld) / 1_048_576,
            Double(bound) / 1_048_576, Double(row.allocated) / 1_048_576, Double(row.resident) / 1_048_576,
            texts.count + numbers.count, 100 * (texts.statistics.hitRatio ?? 0), load.operations.value)
    }

    static func mebibytes(_ bytes: Int) -> String { String(format: "%.1f MiB", Double(bytes) / 1_048_576) }

    /// Bytes in use by the allocator's own count: in its arenas and in blocks mapped by themselves.
    static func allocated() -> Int {
        let info = mallinfo2()
        return info.uordblks + info.hblkhd
    }

    /// Of the process, by the kernel's count; 0 where it cannot be read.
    static func resident() -> Int {
        // Without procfs the column is empty, and growth is judged by the allocator alone.
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let words = text.split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }
}
