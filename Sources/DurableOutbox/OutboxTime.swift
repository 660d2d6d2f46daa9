import Glibc

/// A point on an outbox's own time line, in milliseconds.
///
/// The line began as wall time when the database was made, and runs with the boot clock since then: it passes suspended
/// time, and does not move when the wall clock is set.
package struct OutboxInstant: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package func advanced(by duration: Duration) -> OutboxInstant {
        let (sum, overflow) = milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        return OutboxInstant(milliseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// How long until `other`; zero when that is over.
    package func wait(until other: OutboxInstant) -> Duration {
        .milliseconds(max(other.milliseconds.subtractingReportingOverflow(milliseconds).partialValue, 0))
    }

    package static func < (left: OutboxInstant, right: OutboxInstant) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

/// One look at the clocks of the machine.
package struct OutboxReading: Hashable, Sendable {
    /// Another one after every boot of the kernel.
    package var bootID: String
    /// Since the kernel booted, suspended time included.
    package var bootMilliseconds: Int64
    /// Since 1970; may be set at any time, so nothing but reboots relies on it.
    package var wallMilliseconds: Int64

    package init(bootID: String, bootMilliseconds: Int64, wallMilliseconds: Int64) {
        self.bootID = bootID
        self.bootMilliseconds = bootMilliseconds
        self.wallMilliseconds = wallMilliseconds
    }
}

/// Where an outbox reads the time.
package struct OutboxClock: Sendable {
    package var read: @Sendable () -> OutboxReading

    package init(read: @escaping @Sendable () -> OutboxReading) {
        self.read = read
    }

    /// The clocks of this machine (CLOCK_BOOTTIME, CLOCK_REALTIME and the kernel's boot id).
    package static let system = OutboxClock {
        OutboxReading(
            bootID: currentBootID, bootMilliseconds: milliseconds(CLOCK_BOOTTIME),
            wallMilliseconds: milliseconds(CLOCK_REALTIME))
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Without /proc a reboot is still seen when the boot clock runs backwards; see `OutboxTimeline`.
    private static let currentBootID: String = {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "unknown" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return "unknown" }
        return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }()
}

/// Turns readings into instants, over reboots.
///
/// Within one boot an instant is the boot clock plus a constant. After a reboot the time between is taken from the wall
/// clock, from the last pair of both times that was stored: never less than nothing, so a wall clock that went back
/// (no battery) stops the line for a while, and one that is far ahead makes everything due at once. Neither ends a
/// message.
package struct OutboxTimeline: Hashable, Sendable {
    package private(set) var bootID: String
    /// Instant minus boot clock.
    package private(set) var baseMilliseconds: Int64
    /// The stored pair: an instant and the wall time then.
    package private(set) var anchor: OutboxInstant
    package private(set) var anchorWallMilliseconds: Int64

    /// The line of a new database.
    package init(beginning reading: OutboxReading) {
        bootID = reading.bootID
        baseMilliseconds = reading.wallMilliseconds - reading.bootMilliseconds
        anchor = OutboxInstant(milliseconds: reading.wallMilliseconds)
        anchorWallMilliseconds = reading.wallMilliseconds
    }

    package init(bootID: String, baseMilliseconds: Int64, anchor: OutboxInstant, anchorWallMilliseconds: Int64) {
        self.bootID = bootID
        self.baseMilliseconds = baseMilliseconds
        self.anchor = anchor
        self.anchorWallMilliseconds = anchorWallMilliseconds
    }

    /// The instant of a reading. Goes over to the boot of the reading when that is another one.
    package mutating func now(_ reading: OutboxReading) -> OutboxInstant {
        let sameBoot = OutboxInstant(milliseconds: baseMilliseconds + reading.bootMilliseconds)
        // A second of tolerance: readings of two threads may come in the wrong order.
        if reading.bootID == bootID, sameBoot.milliseconds >= anchor.milliseconds - 1000 { return sameBoot }
        let passed = max(reading.wallMilliseconds - anchorWallMilliseconds, 0)
        let instant = anchor.advanced(by: .milliseconds(passed))
        bootID = reading.bootID
        baseMilliseconds = instant.milliseconds - reading.bootMilliseconds
        anchor = instant
        anchorWallMilliseconds = reading.wallMilliseconds
        return instant
    }

    /// Takes a new pair when the old one is a minute old, or the wall clock was set since. True when it did: store it.
    package mutating func anchor(_ reading: OutboxReading) -> Bool {
        let instant = now(reading)
        let drift = (reading.wallMilliseconds - instant.milliseconds) - (anchorWallMilliseconds - anchor.milliseconds)
        guard instant.milliseconds - anchor.milliseconds >= 60_000 || abs(drift) > 500 else { return false }
        anchor = instant
        anchorWallMilliseconds = reading.wallMilliseconds
        return true
    }
}
