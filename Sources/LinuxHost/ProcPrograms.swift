import CLinux
import Glibc
package import OakumEngine
package import OakumModel
import ProcessReadings

/// `ProgramReadings` from `/proc/PID/exe` and `cmdline`.
///
/// A script's interpreter stays the same when the script changes: the first argument that names a script or an archive
/// (by its ending) counts as part of the program.
package struct ProcPrograms: ProgramReadings {
    /// Longer command lines are cut.
    private static let commandBytes = 64 << 10
    private static let scriptEndings = [
        ".py", ".pyz", ".js", ".mjs", ".cjs", ".ts", ".rb", ".ru", ".php", ".pl", ".jar", ".war", ".dll", ".sh", ".lua",
    ]

    package init() {}

    package func program(of process: ProcessIdentity) -> ProgramIdentity? {
        let folder = "/proc/\(process.pid)"
        guard let executable = Self.file("\(folder)/exe"), let name = Self.target(of: "\(folder)/exe"),
            let command = Self.read("\(folder)/cmdline", limit: Self.commandBytes),
            // Still the same process: all of it was its own.
            linux_start_ticks(process.pid) == process.startTicks
        else { return nil }
        let words = command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        var program = ProgramIdentity(
            name: Self.lastPart(name), version: executable.version, key: executable.key,
            arguments: Self.isTitle(words) ? nil : words.hashValue)
        if let script = words.dropFirst().first(where: { word in Self.scriptEndings.contains { word.hasSuffix($0) } }),
            let found = Self.file(script.hasPrefix("/") ? script : "\(folder)/cwd/\(script)")
        {
            program.name = Self.lastPart(script)
            program.version = found.version
            program.key += " \(found.key)"
        }
        return program
    }

    /// Some programs write what they do in the place of their arguments: one text with spaces in it.
    private static func isTitle(_ words: [String]) -> Bool {
        words.isEmpty || words.count == 1 && words[0].contains(" ")
    }

    /// Follows links, also to a file that was deleted or replaced meanwhile: of `exe` the kernel keeps the file itself.
    private static func file(_ path: String) -> (key: String, version: String)? {
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        let changed = information.st_mtim
        let place =
            "\(information.st_dev):\(information.st_ino):\(information.st_size):\(changed.tv_sec).\(changed.tv_nsec)"
        if let head = read(path, limit: BuildIdentity.headBytes), let build = BuildIdentity.text(inHead: head) {
            return ("build \(build)", "build \(build.prefix(12))")
        }
        return ("file \(place)", "the file of \(text(changed.tv_sec))")
    }

    private static func text(_ seconds: Int) -> String {
        var time = seconds
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil else { return "an unknown time" }
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S UTC", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func target(of link: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink(link, &buffer, buffer.count)
        guard count > 0 else { return nil }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += chunk.prefix(count)
        }
        return bytes
    }
}
