import Glibc

/// Small files of Oakum's own with secrets or their digests: mode 0600, never half written.
enum PrivateFile {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Larger files are not ours.
    private static let maxBytes = 4 << 20

    /// Nil when there is none.
    static func read(_ path: String) throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot open", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot look at", path) }
        guard status.st_mode & 0o077 == 0 else {
            throw Failure(description: "others may read or write \(path): `chmod 600` it, and revoke what it held")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= maxBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else { throw failure("cannot read", path) }
            bytes += chunk[..<count]
        }
        throw Failure(description: "\(path) is larger than \(maxBytes) bytes: it is no file of oakum's")
    }

    /// Beside the file, to the disk, then in its place: a reader sees the old or the new one, whole.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("cannot make", draft) }
        do {
            defer { close(descriptor) }
            guard fchmod(descriptor, 0o600) == 0 else { throw failure("cannot protect", draft) }
            try append(bytes, to: descriptor, draft)
        }
        guard rename(draft, path) == 0 else { throw failure("cannot replace", path) }
        syncFolder(of: path)
    }

    /// Writes all bytes, and returns when they are on the disk.
    static func append(_ bytes: [UInt8], to descriptor: CInt, _ path: String) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot write", path) }
            sent += count
        }
        guard fdatasync(descriptor) == 0 else { throw failure("cannot bring to the disk", path) }
    }

    /// A file's name is on the disk when its folder is. Some file systems cannot; the file itself is safe all the same.
    static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    static func failure(_ what: String, _ path: String) -> Failure {
        Failure(description: "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
