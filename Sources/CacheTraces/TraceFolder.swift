internal import CLinux
internal import Glibc

/// Finds the traces below a folder.
package struct TraceFolder: Sendable {
    /// Folders within folders; deeper ones are told as problems. Also ends the walk on links that go in a circle.
    static let deepest = 16

    /// In the order of their paths.
    package private(set) var traces: [TraceFile] = []
    /// Files that no folder above names a format for.
    package private(set) var unknown: [String] = []
    /// Folders that could not be read, with the reason.
    package private(set) var problems: [String] = []

    /// Walks the folder; links are followed. The folder's own name counts, so it may be one family's.
    package init(path: String) {
        var root = path
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        // "." names no format, the folder's real name may.
        let resolved = realpath(root, nil)
        defer { free(resolved) }
        walk(root, formatPath: resolved.map { String(cString: $0) } ?? root, depth: 0)
        traces.sort { $0.path < $1.path }
        unknown.sort()
    }

    private mutating func walk(_ path: String, formatPath: String, depth: Int) {
        guard depth <= TraceFolder.deepest else { return problems.append("\(path): too many folders within folders") }
        guard let folder = opendir(path) else {
            return problems.append("\(path): \(String(cString: linux_error_text(errno)))")
        }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let below = "\(path)/\(name)"
            var information = stat()
            guard stat(below, &information) == 0 else {
                problems.append("\(below): \(String(cString: linux_error_text(errno)))")
                continue
            }
            switch information.st_mode & S_IFMT {
            case S_IFDIR: walk(below, formatPath: "\(formatPath)/\(name)", depth: depth + 1)
            case S_IFREG where !TraceFolder.isNote(name):
                if let format = TraceFormat(path: "\(formatPath)/\(name)") {
                    traces.append(TraceFile(path: below, format: format))
                } else {
                    unknown.append(below)
                }
            default: break
            }
        }
    }

    /// Licences and descriptions lie beside the traces.
    private static func isNote(_ name: String) -> Bool {
        let upper = name.uppercased()
        let beginnings = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "README", "SOURCES"]
        return upper.hasSuffix(".MD") || beginnings.contains { upper.hasPrefix($0) }
    }
}
