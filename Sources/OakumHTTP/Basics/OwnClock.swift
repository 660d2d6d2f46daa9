import Glibc
package import OakumModel

/// Reads both clocks at once.
package struct OwnClock: Sendable {
    package var now: @Sendable () -> Moment

    /// The machine's, or another one for tests.
    package init(now: @escaping @Sendable () -> Moment = OwnClock.machine) {
        self.now = now
    }

    @Sendable
    package static func machine() -> Moment {
        Moment(
            uptime: Uptime(seconds: Double(read(CLOCK_BOOTTIME)) / 1e9),
            wall: WallTime(milliseconds: read(CLOCK_REALTIME) / 1_000_000))
    }

    /// Nanoseconds.
    private static func read(_ clock: CInt) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
