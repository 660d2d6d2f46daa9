/// One thing in an artefact, its name checked, its data still to be read.
struct Entry {
    enum Kind: Hashable {
        /// - Parameter size: bytes that follow.
        case file(size: Int64)
        case folder
        /// As it stands in the archive.
        case symbolicLink(target: [UInt8])
        /// A name in the archive.
        case hardLink(target: EntryPath)
    }

    var path: EntryPath
    var kind: Kind
    /// Permission bits and setuid, setgid, sticky.
    var mode: UInt32
}

/// The entries of an archive or of a folder, one after the other.
protocol EntrySource: AnyObject {
    /// The next one; what was not read of the last one's data is skipped. Nil at the end, once the end is proven.
    func next() throws(ArtefactError) -> Entry?
    /// More of the current file's data; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArtefactError) -> Int
    /// BLAKE2b-512 of the packed bytes after the end; nil for a folder.
    func finishDigest() -> [UInt8]?
}
