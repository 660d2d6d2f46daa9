import Foundation

/// The files of the project on disk.
struct ProjectTree {
    /// Made by tools, never committed.
    private static let skipped: Set<String> = [".git", ".oakum", "run", "results", "Package.resolved", "node_modules"]
    private static let textual: Set<String> = [
        "swift", "c", "h", "modulemap", "md", "yaml", "yml", "sh", "txt", "sql", "js", "css", "html", "json", "toml",
        "",
    ]

    let root: URL

    init() {
        root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// The folders of `Sources`.
    func targets() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path))
    }

    func file(_ path: String) throws -> ProjectFile {
        ProjectFile(path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
    }

    /// Text files below a folder, in the order of their paths.
    func files(under folder: String) throws -> [ProjectFile] {
        try paths(under: folder).map(file)
    }

    private func paths(under folder: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
        return try names.flatMap { name -> [String] in
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            guard !Self.skipped.contains(name), !name.hasPrefix(".build") else { return [] }
            let url = root.appending(path: path)
            let values = try url.resourceValues(forKeys: [.isDirectoryKey, .isRegularFileKey])
            if values.isDirectory == true { return try paths(under: path) }
            return values.isRegularFile == true && Self.textual.contains(url.pathExtension) ? [path] : []
        }
    }
}
