import CLinux
import Glibc

/// A folder read as if it were an archive: `manifest.json` first, then everything in the order of its names. Nothing is
/// followed: a link is an entry.
final class FolderReader: EntrySource {
    private let root: Descriptor
    private let path: String
    private let limits: ArtefactLimits
    /// What is still to be told, the next one last.
    private var ahead: [[UInt8]] = []
    private var current: (descriptor: Descriptor, name: String, unread: Int64)?
    private var hasToldManifest = false

    init(path: String, limits: ArtefactLimits) throws(ArtefactError) {
        let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .reading(path, errno) }
        root = Descriptor(number)
        self.path = path
        self.limits = limits
        ahead = try names(in: root, called: path).reversed()
    }

    func finishDigest() -> [UInt8]? { nil }

    func next() throws(ArtefactError) -> Entry? {
        current = nil
        if !hasToldManifest {
            hasToldManifest = true
            let manifest = Array(Manifest.fileName.utf8)
            if ahead.contains(manifest) { return try entry(manifest) }
        }
        while let name = ahead.popLast() {
            if !name.elementsEqual(Manifest.fileName.utf8) { return try entry(name) }
        }
        return nil
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArtefactError) -> Int {
        guard let current, current.unread > 0 else { return 0 }
        let wanted = Int(min(current.unread, Int64(buffer.count)))
        while true {
            let count = current.descriptor.call { Glibc.read($0, buffer.baseAddress, wanted) }
            if count > 0 {
                self.current?.unread -= Int64(count)
                return count
            }
            guard count < 0 else { throw ArtefactError(.truncated, current.name, "it got shorter while it was read") }
            guard count == -Int(EINTR) else { throw .reading(current.name, Int32(-count)) }
        }
    }

    private func entry(_ name: [UInt8]) throws(ArtefactError) -> Entry {
        let path = try EntryPath(name, limits: limits)
        let information = try reference(path).status(path.text)
        let mode = UInt32(information.st_mode & 0o7777)
        switch information.st_mode & S_IFMT {
        case S_IFREG: return try file(path, mode)
        case S_IFDIR:
            let folder = try opened(path, O_RDONLY | O_DIRECTORY)
            let below = try names(in: folder, called: path.text)
            ahead += below.reversed().map { path.bytes + [UInt8(ascii: "/")] + $0 }
            return Entry(path: path, kind: .folder, mode: mode)
        case S_IFLNK: return Entry(path: path, kind: .symbolicLink(target: try target(path)), mode: mode)
        case S_IFIFO: throw unsafe(path, "a pipe")
        case S_IFSOCK: throw unsafe(path, "a socket")
        default: throw unsafe(path, "a device")
        }
    }

    private func unsafe(_ path: EntryPath, _ what: String) -> ArtefactError {
        ArtefactError(.unsafeKind, path.text, "\(what): a release holds files, folders and links")
    }

    private func file(_ path: EntryPath, _ mode: UInt32) throws(ArtefactError) -> Entry {
        // O_NONBLOCK: it may have become a pipe meanwhile.
        let descriptor = try opened(path, O_RDONLY | O_NONBLOCK)
        let information = try descriptor.status(path.text)
        guard information.st_mode & S_IFMT == S_IFREG else { throw unsafe(path, "no longer a file") }
        let size = Int64(information.st_size)
        guard size <= limits.fileBytes else {
            throw ArtefactError(
                .tooLarge, path.text, "\(shownBytes(size)), a file may have \(shownBytes(limits.fileBytes))")
        }
        current = (descriptor, path.text, size)
        return Entry(path: path, kind: .file(size: size), mode: mode)
    }

    private func opened(_ path: EntryPath, _ flags: Int32) throws(ArtefactError) -> Descriptor {
        let number = root.with { linux_open_beneath($0, path.text, flags, 0) }
        guard number >= 0 else { throw .reading(path.text, -number) }
        return Descriptor(number)
    }

    private func reference(_ path: EntryPath) throws(ArtefactError) -> Descriptor {
        let number = root.with { linux_refer_beneath($0, path.text) }
        guard number >= 0 else { throw .reading(path.text, -number) }
        return Descriptor(number)
    }

    private func target(_ path: EntryPath) throws(ArtefactError) -> [UInt8] {
        let descriptor = try reference(path)
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = descriptor.call { readlinkat($0, "", &buffer, buffer.count) }
        guard count >= 0 else { throw .reading(path.text, Int32(-count)) }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    /// Sorted by their bytes.
    private func names(in folder: Descriptor, called place: String) throws(ArtefactError) -> [[UInt8]] {
        // closedir closes its descriptor, so it gets one of its own.
        let copy = folder.call { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        guard copy >= 0 else { throw .reading(place, -copy) }
        guard let entries = fdopendir(copy) else {
            let reason = errno
            close(copy)
            throw .reading(place, reason)
        }
        defer { closedir(entries) }
        var names: [[UInt8]] = []
        errno = 0
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) { names.append(name) }
            guard names.count + ahead.count <= limits.entries else {
                throw ArtefactError(.tooManyEntries, place, "more than \(limits.entries) files, folders and links")
            }
            errno = 0
        }
        guard errno == 0 else { throw .reading(place, errno) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
