internal import CLinux
internal import Glibc

/// Has the kernel tell when tasks stall for memory (kernel documentation, accounting/psi.rst, "Userspace notifications").
///
/// Three things that cost others a day: the text is written with its terminating NUL, or the kernel takes the last digit
/// for it; without CAP_SYS_RESOURCE the window must be a multiple of 2 s; and the file exists, but answers EOPNOTSUPP,
/// where pressure is switched off. One trigger lives as long as its descriptor.
final class StallTrigger: Sendable {
    /// At least 150 ms of stalls within 2 s.
    static let text = "some 150000 2000000"

    /// To poll for `POLLPRI`.
    let descriptor: Int32

    /// Nil where the kernel offers none, or not to this user; readings have to do then.
    init?(path: String) {
        descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let written = StallTrigger.text.withCString { write(descriptor, $0, strlen($0) + 1) }
        guard written == StallTrigger.text.utf8.count + 1 else { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
