import CLinux
import Dispatch
import HeapInspection
import HeapProfile
import OakumModel
import ProcessReadings
import Spawning

/// Where a figure of memory comes from.
package enum MemorySource: String, Hashable, Sendable, Codable {
    /// What the program holds from malloc, counted exactly by the sampler.
    case allocator
    /// Resident memory without files: for programs that malloc does not serve.
    case resident
}

/// Memory of a program and all its processes at one moment.
struct MemoryReading: Hashable, Sendable {
    var bytes: Double
    var source: MemorySource
    /// By how much it may be off.
    var error: Double
    /// The processes it is of.
    var members: Set<ProcessFamily.Member>
    /// Two looks agreed; otherwise it is the lower of the last two.
    var isQuiet = true
}

/// Reads a program's memory when it has come to rest.
struct MemoryMeter: Sendable {
    let target: RunningTarget
    /// Fixed at the first reading, so that a series is of one kind.
    private(set) var source: MemorySource?

    init(_ target: RunningTarget) {
        self.target = target
    }

    /// Two readings in a row that agree, for two seconds at most.
    mutating func readQuiet() async throws(StressProblem) -> MemoryReading {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(2)
        var last = try read()
        while true {
            do {
                try await clock.sleep(for: .milliseconds(source == .resident ? 50 : 20))
            } catch {
                throw .cancelled
            }
            var next = try read()
            if next.members == last.members, abs(next.bytes - last.bytes) <= next.error { return next }
            if clock.now >= deadline {
                next.bytes = min(next.bytes, last.bytes)
                next.isQuiet = false
                return next
            }
            last = next
        }
    }

    private mutating func read() throws(StressProblem) -> MemoryReading {
        guard let family = ProcessFamily(root: target.member) else {
            throw .targetGone(
                "\(target.end ?? "the program is gone"). It wrote:\n\(TextFile.tail(target.logPath))")
        }
        let counts = family.members.compactMap { count(of: $0) }
        let resident = family.members.compactMap { anonymousBytes(of: $0.pid) }.reduce(0, +)
        let inUse = counts.reduce(0.0) { $0 + Double($1.bytesInUse ?? 0) }
        if source == nil { source = Self.source(counts: counts, inUse: inUse, resident: resident) }
        return switch source ?? .resident {
        case .allocator:
            MemoryReading(
                bytes: inUse, source: .allocator, error: 256,
                members: Set(
                    counts.map { ProcessFamily.Member(pid: $0.process.pid, startTicks: $0.process.startTicks) }))
        case .resident:
            MemoryReading(bytes: resident, source: .resident, error: 16_384, members: Set(family.members))
        }
    }

    /// Malloc's count is exact, but says nothing of a program that keeps its objects elsewhere.
    private static func source(counts: [HeapCount], inUse: Double, resident: Double) -> MemorySource {
        guard !counts.isEmpty else { return .resident }
        return resident > 32e6 && inUse < resident / 5 ? .resident : .allocator
    }

    /// Nil without a sampler in it, or before its first sample.
    private func count(of member: ProcessFamily.Member) -> HeapCount? {
        let path = target.heapFile(of: member.pid)
        // A file that is not there yet or being written is no reading.
        guard let count = try? HeapFile.count(path), count.bytesInUse != nil,
            count.process.pid == member.pid, count.process.startTicks == member.startTicks
        else { return nil }
        return count
    }

    private func anonymousBytes(of pid: Int32) -> Double? {
        guard let bytes = FileBytes.read(path: "/proc/\(pid)/statm", limit: 4_096),
            let memory = ProcessMemory(bytes.span)
        else { return nil }
        return Double(memory.anonymousPages * Machine.pageBytes)
    }
}
