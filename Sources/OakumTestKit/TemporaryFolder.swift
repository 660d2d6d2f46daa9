import Glibc

/// A folder of a test's own, gone with everything in it when the scope ends. Its path is short enough for Unix sockets.
package func withTemporaryFolder<Result>(
    _ body: (TemporaryFolder) async throws -> Result
) async throws -> Result {
    let folder = try TemporaryFolder.create()
    defer { folder.remove() }
    return try await body(folder)
}

/// See `withTemporaryFolder`.
package struct TemporaryFolder: Sendable {
    /// Absolute, without a slash at its end.
    package let path: String

    /// The path of something inside the folder.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    static func create() throws -> TemporaryFolder {
        var template = Array("/tmp/oakum-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestKitError("cannot create a folder under /tmp: \(String(cString: strerror(errno)))")
        }
        return TemporaryFolder(path: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    func remove() {
        removeTree(path)
    }
}

/// Depth first, without following links. What cannot be removed is left to the system's cleaning of /tmp.
private func removeTree(_ path: String) {
    // A folder refuses to be unlinked.
    if unlink(path) == 0 { return }
    if let entries = opendir(path) {
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { removeTree("\(path)/\(name)") }
        }
        closedir(entries)
    }
    rmdir(path)
}

/// The test kit itself could not do what it was asked.
package struct TestKitError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
