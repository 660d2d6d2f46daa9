import Glibc
import OakumEngine

/// Small files that are whole and on the disk, or as they were before.
enum DurableFile {
    private static let mostBytes = 16 << 20

    /// Nil when there is none.
    static func read(_ path: String) throws(StoreError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw trouble("cannot open", path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= mostBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw trouble("cannot read", path) }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
        throw .unusable("\(path) is larger than \(mostBytes) bytes: it is no file of oakum's")
    }

    /// Beside the file, to the disk, then in its place.
    static func replace(_ path: String, with bytes: [UInt8]) throws(StoreError) {
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw trouble("cannot make", draft) }
        do {
            defer { close(descriptor) }
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw trouble("cannot write", draft) }
                sent += count
            }
            guard fsync(descriptor) == 0 else { throw trouble("cannot bring to the disk", draft) }
        }
        guard rename(draft, path) == 0 else { throw trouble("cannot replace", path) }
        syncFolder(path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ".")
    }

    /// With its parents, readable by all: releases are no secret, and workers may run as another user.
    static func create(folder path: String) throws(StoreError) {
        var reached = ""
        for part in path.split(separator: "/") {
            reached += "/\(part)"
            guard mkdir(reached, 0o755) == 0 || errno == EEXIST else { throw trouble("cannot create", reached) }
        }
    }

    /// A name is on the disk when its folder is. Some file systems cannot; the file itself is safe all the same.
    static func syncFolder(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func trouble(_ what: String, _ path: String) -> StoreError {
        let error = errno
        let text = "\(what) \(path): \(String(cString: strerror(error)))"
        return error == ENOSPC || error == EDQUOT ? .diskFull(text) : .failed(text)
    }
}
