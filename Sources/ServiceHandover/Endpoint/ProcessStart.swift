import Glibc

/// When this process started, read from the kernel.
enum ProcessStart {
    /// Seconds since 1970, or `nil` when `/proc` cannot be read or understood. Source: proc(5).
    static func seconds() -> Double? {
        guard let own = contents(of: "/proc/self/stat"), let machine = contents(of: "/proc/stat"),
            // The command may hold blanks and parentheses; the fields after its last one are counted from the third.
            let end = own.lastIndex(of: ")"),
            let bootLine = machine.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(bootLine.dropFirst("btime ".count))
        else { return nil }
        let fields = own[own.index(after: end)...].split(separator: " ")
        let ticksPerSecond = sysconf(CInt(_SC_CLK_TCK))
        guard fields.count > 19, let ticks = Double(fields[19]), ticksPerSecond > 0 else { return nil }
        return boot + ticks / Double(ticksPerSecond)
    }

    /// At most 1 MiB of a file.
    private static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
