import BoundedCache
import Foundation
import OakumTestKit
import ProcessReadings
import Spawning
import Testing

@testable import CachePressure

@Suite(.serialized, .timeLimit(.minutes(3)))
struct RealGroupTests {
    /// A process in a memory cgroup of version 1 that its caches and other memory together exceed by half. Where memory is
    /// accounted by version 2, groups can be made by their owner alone, and the recorded trees have to do.
    @Test(
        .enabled(if: getuid() == 0, "only root makes control groups"),
        .disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"))
    func `under growing ballast caches are at their floor within a second and the process answers`() async throws {
        guard let own = CgroupMemory.locate(pid: getpid()), own.version == .one else { return }
        let limit = 512 << 20
        let folder = "\(own.folder)/oakum-test-\(getpid())"
        guard mkdir(folder, 0o755) == 0 else {
            let reason = errno
            // In a container control groups are often there to be read alone; anything else is a failure.
            #expect([EROFS, EACCES, EPERM].contains(reason), "\(folder): errno \(reason)")
            print("no control group can be made at \(folder) (errno \(reason)): the recorded trees have to do")
            return
        }
        defer { removeGroup(folder) }
        try Data("\(limit)".utf8).write(to: URL(fileURLWithPath: folder + "/memory.limit_in_bytes"))

        let (exit, text) = try await withProcess(try builtExecutable("fixture-pressure"), [folder, "\(limit)"]) {
            child in
            (try await child.waitForExit(within: .seconds(120)), child.output())
        }
        #expect(exit == .code(0), "\(text)")
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        func figure(_ name: String) throws -> Int {
            let words = try #require(lines.first { $0.first.map(String.init) == name }, "\(name) in \(text)")
            return try #require(Int(words[1]))
        }
        #expect(try figure("floor_ms") < 1_000)
        #expect(try figure("held_bytes") <= 2 * (96 << 20) / 10 + 2)
        #expect(try figure("ballast_bytes") >= limit - (96 << 20))
        #expect(try figure("trims") >= 1)
        #expect(try figure("answers") > 5_000)
        // Generous: other jobs may have the processor. Without batches it would be the whole shrink.
        #expect(try figure("slowest_us") < 400_000)
    }

    @Test func `a cache follows its governor, and its owner's new bound counts`() {
        var settings = CacheSettings(name: "followed", bound: .bytes(4 << 20))
        settings.rebuildCost = .cheap
        let cache = BoundedCache<Int, [UInt8]>(settings)
        for key in 0..<4_000 { cache.insert([UInt8](repeating: 0, count: 2_000), for: key) }
        var governed = GovernedCaches(governor: MemoryGovernor())
        let step = governed.step(reading(0, used: 96), caches: [cache])
        #expect(step.caches.map(\.name) == ["followed"])
        #expect(cache.bound == .bytes((4 << 20) / 10))
        #expect(cache.heldBytes <= (4 << 20) / 10)
        #expect(step.description.hasPrefix("memory critical (group: 96 % of 100 MiB): followed to 10 % (freed 3 MiB)"))
        // Its owner gives it more: that is the new measure.
        cache.resize(to: .bytes(8 << 20))
        _ = governed.step(reading(1, used: 10), caches: [cache])
        #expect(cache.bound == .bytes(8 << 20))
        _ = governed.step(reading(2, used: 96), caches: [cache])
        #expect(cache.bound == .bytes((8 << 20) / 10))
    }

    @Test func `governing ends when it is cancelled`() async throws {
        let pressure = CachePressure(registry: CacheRegistry())
        try await withThrowingTaskGroup { group in
            group.addTask { await pressure.run() }
            try await eventually("a reading", holds: { pressure.status.level != .unknown })
            group.cancelAll()
        }
    }

    private func reading(_ seconds: Int, used: Int) -> MemoryReading {
        MemoryReading(
            time: .seconds(seconds),
            places: [MemoryReading.Place(name: "group", usedBytes: used << 20, limitBytes: 100 << 20)])
    }

    /// The kernel needs a moment to see that the group's last process is gone.
    private func removeGroup(_ folder: String) {
        for _ in 0..<200 {
            if rmdir(folder) == 0 || errno == ENOENT { return }
            _ = poll(nil, 0, 10)
        }
        Issue.record("\(folder) could not be removed: errno \(errno)")
    }
}
