import Artefacts
import CSodium
import Glibc
import OakumTestKit

/// A release as the tests make it: files, links and the manifest that tells of them.
struct TestRelease {
    struct File {
        var path: String
        var data: [UInt8]
        var mode = 0o644
    }

    var files: [File] = [
        File(path: "bin/web", data: Array("#!/bin/sh\necho web\n".utf8), mode: 0o755),
        File(path: "share/page.html", data: Array("<p>page</p>\n".utf8)),
        File(path: "sbom.cdx.json", data: Array("{}\n".utf8)),
    ]
    var links: [(path: String, target: String)] = []
    /// Keys of the manifest that differ: JSON, or nil to leave the key out.
    var changes: [String: String?] = [:]

    var manifest: String {
        let listed = files.map {
            """
            {"path": \(quoted($0.path)), "sha256": "\(sha256($0.data))", "size_bytes": \($0.data.count), \
            "mode": "0\(String($0.mode, radix: 8))"}
            """
        }
        var keys: [String: String?] = [
            "format": "1", "name": "\"web\"", "version": "\"1.4.2\"", "release": "\"1.4.2-abc123\"",
            "platform": "\"linux-x86_64\"", "created": "\"2026-01-31T12:00:00Z\"", "build_ids": "{}",
            "files": "[\(listed.joined(separator: ",\n"))]", "system_packages": "[\"libsqlite3-0\"]",
            "command": "[\"bin/web\", \"--port\", \"80\"]", "migration": "{\"one_way\": false}",
            "sbom": "\"sbom.cdx.json\"",
        ]
        if !links.isEmpty {
            keys["links"] =
                "["
                + links.map { "{\"path\": \(quoted($0.path)), \"target\": \(quoted($0.target))}" }
                .joined(separator: ",") + "]"
        }
        keys.merge(changes) { $1 }
        return "{"
            + keys.compactMap { key, value in value.map { "\"\(key)\": \($0)" } }.sorted().joined(separator: ",\n")
            + "}"
    }

    /// The manifest and everything it lists.
    var tar: TarBytes {
        var tar = TarBytes()
        tar.items.append(.file("manifest.json", Array(manifest.utf8)))
        tar.items += files.map { .file($0.path, $0.data, mode: $0.mode) }
        tar.items += links.map { .init($0.path, "2", link: $0.target) }
        return tar
    }

    /// The archive with more in it, before its end.
    func packed(adding items: TarBytes.Item...) -> [UInt8] {
        var tar = tar
        tar.items += items
        return tar.packed
    }

    private func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            scalar == "\"" || scalar == "\\"
                ? "\\\(scalar)"
                : scalar.value < 32
                    ? "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16) : String(scalar)
        }
        return "\"" + escaped.joined() + "\""
    }
}

func sha256(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    crypto_hash_sha256(&digest, bytes, UInt64(bytes.count))
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func put(_ bytes: [UInt8], _ path: String, mode: mode_t = 0o644) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw TestKitError("cannot write \(path)") }
    defer { close(descriptor) }
    // Whatever the mask of the process is.
    fchmod(descriptor, mode)
    guard bytes.isEmpty || write(descriptor, bytes, bytes.count) == bytes.count else {
        throw TestKitError("cannot write all of \(path)")
    }
}

func contents(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        guard count > 0 else { return bytes }
        bytes += chunk[..<count]
    }
}

/// Everything below a folder, sorted, folders with a slash, links with their target.
func listing(_ folder: String) -> [String] {
    var found: [String] = []
    func visit(_ below: String) {
        guard let entries = opendir(folder + below) else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            let path = "\(below)/\(name)"
            var information = stat()
            lstat(folder + path, &information)
            switch information.st_mode & S_IFMT {
            case S_IFDIR:
                found.append(String(path.dropFirst()) + "/")
                visit(path)
            case S_IFLNK:
                var target = [CChar](repeating: 0, count: 4096)
                let count = max(0, readlink(folder + path, &target, target.count))
                let text = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                found.append("\(path.dropFirst()) -> \(text)")
            default: found.append(String(path.dropFirst()))
            }
        }
    }
    visit("")
    return found.sorted()
}

func mode(_ path: String) -> UInt32 {
    var information = stat()
    return lstat(path, &information) == 0 ? UInt32(information.st_mode & 0o7777) : 0
}

/// The error of unpacking these bytes; nil when they are taken. Nothing may be left behind either way.
func refusal(
    of packed: [UInt8], limits: ArtefactLimits = ArtefactLimits()
) async throws -> ArtefactError? {
    try await withTemporaryFolder { folder in
        try put(packed, folder.file("artefact"))
        do throws(ArtefactError) {
            _ = try Artefact(path: folder.file("artefact"), limits: limits).unpack(into: folder.file("new"))
            return nil
        } catch {
            guard listing(folder.path) == ["artefact"] else {
                throw TestKitError("left behind after \"\(error)\": \(listing(folder.path))")
            }
            return error
        }
    }
}
