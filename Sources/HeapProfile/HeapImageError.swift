/// Why a file is not a heap image, and what to do about it.
package enum HeapImageError: Error, Hashable, Sendable {
    case tooShort(bytes: Int)
    case notAHeapFile
    case otherVersion(found: UInt32, known: UInt32)
    /// Cut off, or still being copied.
    case wrongSize(headerSays: UInt64, is: Int)
    case notReadyYet
    case badHeader(field: String, value: UInt64)
    case badTable(name: String, problem: String)
}

extension HeapImageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooShort(let bytes):
            "\(bytes) bytes are too few for a heap file: it was cut off, or the sampler never began"
        case .notAHeapFile:
            "not a heap file of Oakum's sampler: it does not begin with OAKHEAP1"
        case .otherVersion(let found, let known):
            "the heap file has format version \(found), this program reads version \(known): "
                + "use the oakum that came with the sampler"
        case .wrongSize(let headerSays, let size):
            "the heap file should have \(headerSays) bytes and has \(size): it was cut off; copy it again"
        case .notReadyYet:
            "the sampler is still preparing the heap file, or died doing so: try again in a second"
        case .badHeader(let field, let value):
            "the heap file is damaged: \(field) cannot be \(value)"
        case .badTable(let name, let problem):
            "the heap file is damaged: its table of \(name) \(problem)"
        }
    }
}
