/// The entries of a tar stream: ustar, pax, and GNU tar's long names. What different programs would read differently is refused.
final class TarReader: EntrySource {
    private let stream: any ByteStream
    private let limits: ArtefactLimits
    private let file: FileStream
    /// Bytes of the stream taken so far.
    private var position: Int64 = 0
    /// Of the current entry: data not read yet, and what fills its last block.
    private var unread: Int64 = 0
    private var padding = 0
    private var headers = 0
    private let scratch = Buffer(count: 1 << 16)

    /// What headers before an entry say about it.
    private struct Pending {
        var records: ExtendedRecords?
        var longName: [UInt8]?
        var longLink: [UInt8]?

        var isEmpty: Bool { records == nil && longName == nil && longLink == nil }
    }

    init(path: String, limits: ArtefactLimits) throws(ArtefactError) {
        file = try FileStream(path: path)
        stream = try Inflater(file, limits: limits)
        self.limits = limits
    }

    func finishDigest() -> [UInt8]? { file.finishDigest() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArtefactError) -> Int {
        let wanted = Int(min(unread, Int64(buffer.count)))
        guard wanted > 0 else { return 0 }
        let count = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        guard count > 0 else { throw truncated() }
        position += Int64(count)
        unread -= Int64(count)
        return count
    }

    func next() throws(ArtefactError) -> Entry? {
        try skip()
        var pending = Pending()
        while let block = try header() {
            let place = "tar header at byte \(position - Int64(TarHeader.blockBytes))"
            let header = try TarHeader(block, at: place)
            headers += 1
            guard headers / 4 <= limits.entries else {
                throw ArtefactError(
                    .tooManyEntries, place, "more than four headers for each of \(limits.entries) entries")
            }
            switch header.flag {
            case UInt8(ascii: "x"):
                guard pending.records == nil else { throw ambiguous(place) }
                pending.records = try ExtendedRecords(try body(of: header, at: place), at: place)
            case UInt8(ascii: "g"):
                let records = try ExtendedRecords(try body(of: header, at: place), at: place)
                guard records.isWithoutEffect else {
                    throw ArtefactError(.damaged, place, "a global pax header that names or sizes every file")
                }
            case UInt8(ascii: "L"):
                guard pending.longName == nil else { throw ambiguous(place) }
                pending.longName = try terminated(header, at: place)
            case UInt8(ascii: "K"):
                guard pending.longLink == nil else { throw ambiguous(place) }
                pending.longLink = try terminated(header, at: place)
            default: return try entry(header, pending, at: place)
            }
        }
        guard pending.isEmpty else {
            throw ArtefactError(
                .damaged, file.path, "the last header says something about an entry that does not follow")
        }
        return nil
    }

    private func ambiguous(_ place: String) -> ArtefactError {
        ArtefactError(.damaged, place, "two headers name one entry")
    }

    private func truncated() -> ArtefactError {
        ArtefactError(.truncated, file.path, "the tar archive ends too early, at byte \(position): pack it again")
    }

    // MARK: - Entries

    private func entry(_ header: TarHeader, _ pending: Pending, at place: String) throws(ArtefactError) -> Entry {
        let records = pending.records
        guard records?.path == nil || pending.longName == nil, records?.link == nil || pending.longLink == nil else {
            throw ambiguous(place)
        }
        let name = records?.path ?? pending.longName ?? header.name
        let path = try EntryPath(name, limits: limits)
        let size = try size(header, records, of: path)
        let kind = try kind(header, link: records?.link ?? pending.longLink ?? header.link, size: size, of: path)
        if case .file = kind {
            guard name.last != UInt8(ascii: "/"), !path.isRoot else {
                throw ArtefactError(.unsafeName, EntryPath.shown(name), "a file with the name of a folder")
            }
        } else {
            guard size == 0 else { throw ArtefactError(.damaged, path.text, "data where there can be none") }
        }
        unread = size
        padding = Int(-size & Int64(TarHeader.blockBytes - 1))
        return Entry(path: path, kind: kind, mode: header.mode)
    }

    /// The size in the pax header counts. Readers that take the other one would see other entries: such an archive lies.
    private func size(_ header: TarHeader, _ records: ExtendedRecords?, of path: EntryPath) throws(ArtefactError)
        -> Int64
    {
        let size = records?.size ?? header.size
        guard size <= limits.fileBytes else {
            throw ArtefactError(
                .tooLarge, path.text, "\(shownBytes(size)), a file may have \(shownBytes(limits.fileBytes))")
        }
        guard size == header.size else {
            throw ArtefactError(.damaged, path.text, "its two headers tell different sizes: \(header.size) and \(size)")
        }
        return size
    }

    private func kind(
        _ header: TarHeader, link: [UInt8], size: Int64, of path: EntryPath
    ) throws(ArtefactError) -> Entry.Kind {
        switch header.flag {
        case UInt8(ascii: "0"): return .file(size: size)
        case UInt8(ascii: "5"): return .folder
        case UInt8(ascii: "2"): return .symbolicLink(target: link)
        case UInt8(ascii: "1"): return .hardLink(target: try EntryPath(link, limits: limits))
        case UInt8(ascii: "3"), UInt8(ascii: "4"): throw unsafe(path, "a device")
        case UInt8(ascii: "6"): throw unsafe(path, "a pipe")
        case UInt8(ascii: "S"): throw unsafe(path, "a sparse file")
        default: throw unsafe(path, "an entry of kind \(EntryPath.shown([header.flag]))")
        }
    }

    private func unsafe(_ path: EntryPath, _ what: String) -> ArtefactError {
        ArtefactError(.unsafeKind, path.text, "\(what): a release holds files, folders and links")
    }

    // MARK: - Blocks

    /// The next header; nil at the end of the archive, which is two blocks of zeros and nothing but zeros after them.
    private func header() throws(ArtefactError) -> [UInt8]? {
        guard let block = try block() else { throw truncated() }
        guard block.allSatisfy({ $0 == 0 }) else { return block }
        guard let second = try self.block() else { throw truncated() }
        guard second.allSatisfy({ $0 == 0 }) else {
            throw ArtefactError(
                .damaged, file.path, "a block of zeros in the middle of the archive, at byte \(position)")
        }
        while true {
            let count = try stream.read(into: scratch.bytes)
            guard count > 0 else { return nil }
            position += Int64(count)
            guard scratch.bytes[..<count].allSatisfy({ $0 == 0 }) else {
                throw ArtefactError(.damaged, file.path, "something follows the end of the tar archive")
            }
        }
    }

    /// 512 bytes; nil when not one is left.
    private func block() throws(ArtefactError) -> [UInt8]? {
        let block = try stream.bytes(TarHeader.blockBytes)
        position += Int64(block.count)
        guard block.count == TarHeader.blockBytes || block.isEmpty else { throw truncated() }
        return block.isEmpty ? nil : block
    }

    /// The data of a header that only speaks about the next entry.
    private func body(of header: TarHeader, at place: String) throws(ArtefactError) -> [UInt8] {
        guard header.size <= limits.extendedBytes else {
            throw ArtefactError(
                .tooLarge, place, "an extended header of \(header.size) bytes, at most \(limits.extendedBytes)")
        }
        let padded = (Int(header.size) + TarHeader.blockBytes - 1) & ~(TarHeader.blockBytes - 1)
        let bytes = try stream.bytes(padded)
        position += Int64(bytes.count)
        guard bytes.count == padded else { throw truncated() }
        return Array(bytes.prefix(Int(header.size)))
    }

    /// A long name of GNU tar: it ends with a zero byte.
    private func terminated(_ header: TarHeader, at place: String) throws(ArtefactError) -> [UInt8] {
        let bytes = try body(of: header, at: place)
        return bytes.last == 0 ? Array(bytes.dropLast()) : bytes
    }

    /// To the next header.
    private func skip() throws(ArtefactError) {
        while unread > 0 { _ = try read(into: scratch.bytes) }
        guard padding > 0 else { return }
        let bytes = try stream.bytes(padding)
        position += Int64(bytes.count)
        guard bytes.count == padding else { throw truncated() }
        padding = 0
    }
}
