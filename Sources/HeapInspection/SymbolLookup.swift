import CElf
import Glibc

/// Asks the child process of `CElf` for names, files and lines.
struct SymbolLookup {
    enum Kind: UInt32 {
        case code = 0
        case data = 1
    }

    struct Query: Hashable {
        /// Index into the files.
        var file: Int
        var kind: Kind
        /// As the file counts: without load bias.
        var address: UInt64
    }

    /// One line of the answer to a query; code has several when functions are inlined, innermost first.
    struct Answer: Hashable {
        var name: String
        var file: String?
        var line: Int?
        var isInlined: Bool
        /// There was no debug information: the name is the symbol table's.
        var isFromSymbol: Bool
        /// From the symbol's start.
        var offset: UInt64
    }

    struct Outcome {
        var answers: [Query: [Answer]] = [:]
        /// Files that could not be read as ELF, by index.
        var unreadable: Set<Int> = []
        /// Files that ended the child: damaged or hostile, or too large for the limits.
        var failed: Set<Int> = []
        /// The time was over first.
        var isCutShort = false
    }

    /// Bytes of memory for one child. The debug information of a large service is some hundred MiB.
    var memoryBytes: UInt64 = 1 << 30
    /// Folders for separate debug files, as in `dwfl_standard_find_debuginfo`.
    var debugPath: String?

    /// Answers as many queries as time allows. Children are started again behind a file that ends one.
    func run(_ queries: Set<Query>, files: [String], deadline: ContinuousClock.Instant) -> Outcome {
        var outcome = Outcome()
        var rest = queries.sorted { ($0.file, $0.kind.rawValue, $0.address) < ($1.file, $1.kind.rawValue, $1.address) }
        while !rest.isEmpty {
            let remaining = ContinuousClock.now.duration(to: deadline)
            guard remaining > .zero else {
                outcome.isCutShort = true
                break
            }
            let done = runChild(rest, files, deadline, seconds: UInt32(remaining.components.seconds) + 1, &outcome)
            guard let current = rest.first(where: { !done.contains($0.file) })?.file else { break }
            if ContinuousClock.now >= deadline {
                outcome.isCutShort = true
                break
            }
            outcome.failed.insert(current)
            rest.removeAll { done.contains($0.file) || $0.file == current }
        }
        return outcome
    }

    /// Returns the files that were done with.
    private func runChild(
        _ queries: [Query], _ files: [String], _ deadline: ContinuousClock.Instant, seconds: UInt32,
        _ outcome: inout Outcome
    ) -> Set<Int> {
        let paths = files.map { strdup($0) }
        defer { paths.forEach { free($0) } }
        let lookups = queries.map {
            celf_lookup(module: UInt32($0.file), kind: $0.kind.rawValue, address: $0.address, name: nil)
        }
        var child: pid_t = 0
        let pointers = paths.map { UnsafePointer($0) }
        let limits = celf_limits(memory_bytes: memoryBytes, seconds: seconds)
        let pipe = celf_start(pointers, pointers.count, lookups, lookups.count, debugPath, limits, &child)
        guard pipe >= 0 else { return [] }
        defer {
            close(pipe)
            _ = celf_finish(child)
        }
        var done: Set<Int> = []
        var stream = RecordStream(descriptor: pipe, deadline: deadline)
        while let record = stream.next() {
            let index = Int(record.head.index)
            if record.head.flags & UInt32(CELF_MODULE_DONE) != 0 {
                done.insert(index)
            } else if record.head.flags & UInt32(CELF_NO_FILE) != 0 {
                outcome.unreadable.insert(index)
            } else if index < queries.count {
                outcome.answers[queries[index], default: []].append(Self.answer(record))
            }
        }
        return done
    }

    private static func answer(_ record: RecordStream.Record) -> Answer {
        Answer(
            name: record.name, file: record.file.isEmpty ? nil : record.file,
            line: record.head.line > 0 ? Int(record.head.line) : nil,
            isInlined: record.head.flags & UInt32(CELF_INLINED) != 0,
            isFromSymbol: record.head.flags & UInt32(CELF_FROM_SYMBOL) != 0, offset: record.head.offset)
    }
}

/// Records out of the child's pipe, until it ends or the time is over.
private struct RecordStream {
    struct Record {
        var head: celf_record
        var name: String
        var file: String
    }

    let descriptor: Int32
    let deadline: ContinuousClock.Instant
    private var buffer: [UInt8] = []
    private var position = 0

    init(descriptor: Int32, deadline: ContinuousClock.Instant) {
        self.descriptor = descriptor
        self.deadline = deadline
    }

    mutating func next() -> Record? {
        let headBytes = MemoryLayout<celf_record>.size
        guard fill(headBytes) else { return nil }
        let head = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: celf_record.self) }
        let textBytes = Int(head.name_bytes) + Int(head.file_bytes)
        guard fill(headBytes + textBytes) else { return nil }
        let name = position + headBytes
        let file = name + Int(head.name_bytes)
        let record = Record(
            head: head, name: String(decoding: buffer[name..<file], as: UTF8.self),
            file: String(decoding: buffer[file..<(file + Int(head.file_bytes))], as: UTF8.self))
        position += headBytes + textBytes
        return record
    }

    /// True when that many bytes are there behind `position`.
    private mutating func fill(_ count: Int) -> Bool {
        while buffer.count - position < count {
            if position > 0 {
                buffer.removeFirst(position)
                position = 0
            }
            let left = ContinuousClock.now.duration(to: deadline).components
            guard left.seconds >= 0, left.attoseconds >= 0 else { return false }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = min(60_000, left.seconds * 1_000 + left.attoseconds / 1_000_000_000_000_000 + 1)
            let ready = poll(&waiting, 1, Int32(milliseconds))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return false }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let read = Glibc.read(descriptor, &chunk, chunk.count)
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { return false }
            buffer += chunk.prefix(read)
        }
        return true
    }
}
