import Glibc
import OakumModel

/// What a stretch of writable memory is for.
enum Territory: Hashable {
    /// Writable data of a module: globals and statics; the index of the module.
    case data(Int)
    /// The used part of a thread's stack.
    case stack(ThreadStack)
    /// Everything else: heaps, and mappings nobody names.
    case heap
}

/// A thread and the part of its stack in use.
struct ThreadStack: Hashable {
    var id: Int32
    var name: String
    /// The stack pointer at the moment of looking; nil: the thread was running, so that its stack's end is not known.
    var pointer: UInt64?
}

/// The writable private memory of a process, cut into stretches of one territory each, in the order of addresses.
///
/// Left out: memory shared with others (a pointer means nothing there, and the sampler's own table would look like a
/// holder of everything), and the unused part of stacks.
struct ScanPlan {
    struct Stretch {
        var range: Range<UInt64>
        var territory: Territory
        /// Start of the mapping it is a part of.
        var regionStart: UInt64
    }

    private(set) var stretches: [Stretch] = []

    init(map: MemoryMap, modules: ModuleMap, threads: [ThreadStack], leavingOut left: Set<String> = []) {
        let data = modules.modules.enumerated().flatMap { index, module in module.data.map { (index, $0) } }
        let stacks = Self.stackRegions(map, threads)
        for (index, region) in map.regions.enumerated() {
            guard region.isReadable, region.isWritable, !region.isShared, !left.contains(region.path),
                region.path != "[vvar]", region.path != "[vsyscall]"
            else { continue }
            if let thread = stacks[index] {
                let low = max(region.start, (thread.pointer ?? region.start) & ~4_095)
                stretches.append(
                    Stretch(range: low..<region.end, territory: .stack(thread), regionStart: region.start))
                continue
            }
            var position = region.start
            for (module, range) in data where range.lowerBound < region.end && range.upperBound > position {
                let low = max(position, range.lowerBound)
                let high = min(region.end, range.upperBound)
                add(position..<low, .heap, region.start)
                add(low..<high, .data(module), region.start)
                position = high
            }
            add(position..<region.end, .heap, region.start)
        }
    }

    private mutating func add(_ range: Range<UInt64>, _ territory: Territory, _ regionStart: UInt64) {
        guard !range.isEmpty else { return }
        stretches.append(Stretch(range: range, territory: territory, regionStart: regionStart))
    }

    /// The stretch an address lies in.
    func stretch(of address: UInt64) -> Stretch? {
        var low = 0
        var high = stretches.count
        while low < high {
            let middle = (low + high) / 2
            if stretches[middle].range.lowerBound <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, stretches[low - 1].range.contains(address) else { return nil }
        return stretches[low - 1]
    }

    /// Regions that hold a thread's stack: the main thread's by its name, others' by their stack pointer.
    private static func stackRegions(_ map: MemoryMap, _ threads: [ThreadStack]) -> [Int: ThreadStack] {
        var result: [Int: ThreadStack] = [:]
        for thread in threads {
            guard let pointer = thread.pointer, let index = map.index(of: pointer) else { continue }
            result[index] = thread
        }
        if let main = map.regions.firstIndex(where: { $0.path == "[stack]" }), result[main] == nil,
            let first = threads.first
        {
            result[main] = ThreadStack(id: first.id, name: first.name, pointer: nil)
        }
        return result
    }
}

/// The threads of a process.
enum Threads {
    static let limit = 4_096

    /// At most `limit` threads, the main one first. A thread that runs at this moment has no stack pointer.
    static func read(pid: Int32) -> [ThreadStack] {
        var ids: [Int32] = []
        guard let folder = opendir("/proc/\(pid)/task") else { return [] }
        while let entry = readdir(folder), ids.count < limit {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let id = Int32(name) { ids.append(id) }
        }
        closedir(folder)
        return ids.sorted { ($0 == pid ? 0 : $0) < ($1 == pid ? 0 : $1) }.map { id in
            let base = "/proc/\(pid)/task/\(id)"
            let name = ProcFile.text("\(base)/comm", limit: 64).map { String($0.prefix { $0 != "\n" }) } ?? ""
            let call = ProcFile.text("\(base)/syscall", limit: 512) ?? ""
            return ThreadStack(id: id, name: name, pointer: pointer(call))
        }
    }

    /// "7 0x… 0x… … 0xSP 0xPC" when it waits in a system call, "-1 0xSP 0xPC" when it waits otherwise, "running".
    static func pointer(_ text: String) -> UInt64? {
        let fields = text.split { $0 == " " || $0 == "\n" }
        guard fields.count >= 3, fields[fields.count - 2].hasPrefix("0x") else { return nil }
        return UInt64(fields[fields.count - 2].dropFirst(2), radix: 16)
    }
}
