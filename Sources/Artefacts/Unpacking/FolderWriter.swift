import CLinux
import Glibc

/// A new folder that appears under its name only when everything is in it and on the disk.
///
/// Until then it lies beside its place as `.NAME.unpacking`, closed to other users, and is removed when anything fails. Every
/// name is opened relative to it, and no link is followed on the way.
final class FolderWriter {
    private let parent: Descriptor
    private let parentPath: String
    private let name: String
    private let root: Descriptor
    /// Everything made inside, in order.
    private var made: [(path: EntryPath, isFolder: Bool)] = []
    private var folders: Set<EntryPath> = []
    private var isDone = false

    private var stagingName: String { ".\(name).unpacking" }
    private var path: String { "\(parentPath)/\(name)" }

    /// - Parameter path: of the folder to be, in a folder that is there.
    /// - Throws: `.exists`, or `.unwritable`.
    init(path: String) throws(ArtefactError) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        while parts.count > 1, parts.last == "" { parts.removeLast() }
        guard let name = parts.popLast(), !["", ".", ".."].contains(name) else {
            throw ArtefactError(.unwritable, path, "not the name of a new folder")
        }
        self.name = name
        parentPath = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
        let number = open(parentPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .writing(parentPath, errno) }
        parent = Descriptor(number)
        var found = stat()
        guard parent.call({ fstatat($0, name, &found, AT_SYMLINK_NOFOLLOW) }) != 0 else {
            throw ArtefactError(.exists, path, "it is there already: nothing is unpacked over it")
        }
        let staging = ".\(name).unpacking"
        let begun = parent.call { mkdirat($0, staging, 0o700) }
        guard begun == 0 else {
            guard begun == -EEXIST else { throw .writing("\(parentPath)/\(staging)", -begun) }
            throw ArtefactError(
                .exists, "\(parentPath)/\(staging)",
                "an unpacking is under way, or one was killed: then remove this folder")
        }
        let opened = parent.with { linux_open_beneath($0, staging, O_RDONLY | O_DIRECTORY, 0) }
        guard opened >= 0 else {
            _ = parent.call { unlinkat($0, staging, AT_REMOVEDIR) }
            throw .writing("\(parentPath)/\(staging)", -opened)
        }
        root = Descriptor(opened)
    }

    deinit {
        if !isDone { discard() }
    }

    /// The permission bits that a file gets: nobody but its owner may write, and its owner may read.
    static func mode(_ bits: UInt32) -> UInt32 { bits & 0o755 | 0o400 }

    /// Checks that there is room for all of it before the first byte is written.
    func reserve(_ manifest: Manifest) throws(ArtefactError) {
        var room = statvfs()
        let told = root.call { fstatvfs($0, &room) }
        guard told == 0 else { throw .writing(path, -told) }
        let block = max(512, Int64(room.f_frsize))
        let needed = manifest.bytesNeeded(block: block)
        let (free, isHuge) = Int64(clamping: room.f_bavail).multipliedReportingOverflow(by: block)
        guard isHuge || needed <= free else {
            throw ArtefactError(
                .diskFull, parentPath,
                "\(shownBytes(needed)) are needed, \(shownBytes(free)) are free: make room, try again")
        }
    }

    func makeFolder(_ path: EntryPath) throws(ArtefactError) {
        // One that was made because something is below it may be listed later.
        guard !folders.contains(path) else { return }
        try inFolder(of: path) { folder, name in mkdirat(folder, name, 0o755) }
        made.append((path, true))
        folders.insert(path)
        // Not less because of the umask.
        let changed = try folder(path).call { fchmod($0, 0o755) }
        guard changed == 0 else { throw .writing(path.text, -changed) }
    }

    func makeLink(_ path: EntryPath, to target: String) throws(ArtefactError) {
        try inFolder(of: path) { folder, name in symlinkat(target, folder, name) }
        made.append((path, false))
    }

    func makeHardLink(_ path: EntryPath, to target: EntryPath) throws(ArtefactError) {
        let from = try folder(target.parent)
        // Without AT_SYMLINK_FOLLOW a link would itself be linked, not what it leads to.
        try inFolder(of: path) { folder, name in
            withExtendedLifetime(from) { linkat(from.number, target.name, folder, name, 0) }
        }
        made.append((path, false))
    }

    /// A new file.
    func begin(_ path: EntryPath, mode: UInt32) throws(ArtefactError) -> FileWriter {
        let number = root.with { linux_open_beneath($0, path.text, O_WRONLY | O_CREAT | O_EXCL, 0o600) }
        guard number >= 0 else { throw .writing(path.text, -number) }
        made.append((path, false))
        return FileWriter(Descriptor(number), path: path.text, mode: Self.mode(mode))
    }

    /// Puts it in its place: names to the disk, inner folders first, then the rename.
    func finish() throws(ArtefactError) {
        for (path, isFolder) in made.reversed() where isFolder { try sync(try folder(path), path.text) }
        let changed = root.call { fchmod($0, 0o755) }
        guard changed == 0 else { throw .writing(path, -changed) }
        try sync(root, path)
        let renamed = parent.with { linux_rename_new($0, stagingName, $0, name) }
        guard renamed == 0 else {
            throw renamed == -EEXIST
                ? ArtefactError(.exists, path, "it has appeared meanwhile: nothing is put over it")
                : .writing(path, -renamed)
        }
        do throws(ArtefactError) {
            try sync(parent, parentPath)
        } catch {
            // Not certain to be there after a crash, so not there now either.
            _ = parent.with { linux_rename_new($0, name, $0, stagingName) }
            throw error
        }
        isDone = true
    }

    /// Removes what was made, newest first, and nothing else.
    private func discard() {
        for (path, isFolder) in made.reversed() {
            // What cannot be removed is left, and its folder with it: the next unpacking names it.
            guard let above = path.parent, let folder = try? folder(above) else { continue }
            _ = folder.call { unlinkat($0, path.name, isFolder ? AT_REMOVEDIR : 0) }
        }
        _ = parent.call { unlinkat($0, stagingName, AT_REMOVEDIR) }
    }

    private func sync(_ folder: Descriptor, _ place: String) throws(ArtefactError) {
        let synced = folder.call { fsync($0) }
        guard synced == 0 else { throw .writing(place, -synced) }
    }

    /// - Parameter path: nil or the root: the new folder itself.
    private func folder(_ path: EntryPath?) throws(ArtefactError) -> Descriptor {
        guard let path, !path.isRoot else { return root }
        let number = root.with { linux_open_beneath($0, path.text, O_RDONLY | O_DIRECTORY, 0) }
        guard number >= 0 else { throw .writing(path.text, -number) }
        return Descriptor(number)
    }

    private func inFolder(
        of path: EntryPath, _ make: (_ folder: Int32, _ name: String) -> Int32
    ) throws(ArtefactError) {
        let made = try folder(path.parent).call { make($0, path.name) }
        guard made == 0 else { throw .writing(path.text, -made) }
    }
}

/// One new file, on the disk when `finish` returns.
final class FileWriter {
    private let descriptor: Descriptor
    private let path: String
    private let mode: UInt32

    init(_ descriptor: Descriptor, path: String, mode: UInt32) {
        self.descriptor = descriptor
        self.path = path
        self.mode = mode
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ArtefactError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = descriptor.call { Glibc.write($0, rest.baseAddress, rest.count) }
            if count < 0 {
                guard count == -Int(EINTR) else { throw .writing(path, Int32(-count)) }
                continue
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func finish() throws(ArtefactError) {
        for step in [descriptor.call({ fchmod($0, mode) }), descriptor.call({ fsync($0) })] where step != 0 {
            throw .writing(path, -step)
        }
    }
}
