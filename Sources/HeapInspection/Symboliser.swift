import Glibc
package import HeapProfile

/// Names the addresses of a process, living or dead: functions with their inlined callers, files, lines, globals.
///
/// Symbols come from the modules' files and from separate debug files beside them, in `/usr/lib/debug`, or in folders
/// that are given. A file whose build id is not the one that was loaded is not used: wrong lines are worse than none.
package struct Symboliser {
    /// What is known of a module.
    package struct Module: Hashable, Sendable {
        package var path: String
        package var bias: UInt64
        package var addresses: Range<UInt64>
        package var buildID: [UInt8]

        package init(path: String, bias: UInt64, addresses: Range<UInt64>, buildID: [UInt8]) {
            self.path = path
            self.bias = bias
            self.addresses = addresses
            self.buildID = buildID
        }

        init(_ image: ModuleImage) {
            self.init(path: image.path, bias: image.bias, addresses: image.low..<image.high, buildID: image.buildID)
        }

        package init(_ module: LoadedModule) {
            self.init(
                path: module.path, bias: module.loadBias, addresses: module.addresses, buildID: module.buildID)
        }
    }

    /// The name of a global variable, or of other data.
    package struct DataName: Hashable, Sendable {
        package var name: String
        package var offset: UInt64
    }

    package struct Result: Sendable {
        /// For each return address with a name at least one frame, innermost first; the others are left out.
        package var frames: [UInt64: [Frame]] = [:]
        package var data: [UInt64: DataName] = [:]
        /// What could not be used and why, one sentence each.
        package var remarks: [String] = []
    }

    private let modules: [Module]
    /// Of the living process: its files are reached through its own root folder, wherever it is mounted.
    private let pid: Int32?
    private let debugFolders: [String]

    /// - Parameters:
    ///   - debugFolders: where else to look for separate debug files, or for unstripped copies of the same names.
    package init(modules: [Module], pid: Int32? = nil, debugFolders: [String] = []) {
        self.modules = modules.sorted { $0.addresses.lowerBound < $1.addresses.lowerBound }
        self.pid = pid
        self.debugFolders = debugFolders
    }

    /// Names everything that time allows. Costs tens of milliseconds for
    /// each module, seconds when it has much debug information.
    /// - Parameters:
    ///   - returnAddresses: as in stack traces; the instruction before is looked up.
    ///   - dataAddresses: addresses of variables.
    package func names(
        returnAddresses: Set<UInt64>, dataAddresses: Set<UInt64> = [], deadline: ContinuousClock.Instant
    ) -> Result {
        var result = Result()
        var files: [Int: String] = [:]
        var queries: Set<SymbolLookup.Query> = []
        for address in returnAddresses where address > 0 {
            guard let module = module(of: address - 1) else { continue }
            queries.insert(.init(file: module, kind: .code, address: address - 1 &- modules[module].bias))
        }
        for address in dataAddresses {
            guard let module = module(of: address) else { continue }
            queries.insert(.init(file: module, kind: .data, address: address &- modules[module].bias))
        }
        for module in Set(queries.map(\.file)).sorted() {
            switch file(of: modules[module]) {
            case .success(let path): files[module] = path
            case .failure(let problem): result.remarks.append(problem.text)
            }
        }
        let usable = queries.filter { files[$0.file] != nil }
        var lookup = SymbolLookup()
        lookup.debugPath = ([":-:.debug:/usr/lib/debug"] + debugFolders).joined(separator: ":")
        let paths = modules.indices.map { files[$0] ?? "" }
        let outcome = lookup.run(usable, files: paths, deadline: deadline)
        for module in outcome.failed.union(outcome.unreadable).sorted() {
            result.remarks.append("\(modules[module].path): its symbols cannot be read (damaged, or too large)")
        }
        if outcome.isCutShort { result.remarks.append("the time for symbols was over: some addresses have no name") }
        for address in returnAddresses { result.frames[address] = frames(address, outcome) }
        for address in dataAddresses {
            guard let module = module(of: address) else { continue }
            let query = SymbolLookup.Query(file: module, kind: .data, address: address &- modules[module].bias)
            guard let answer = outcome.answers[query]?.first, !answer.name.isEmpty else { continue }
            result.data[address] = DataName(name: answer.name, offset: answer.offset)
        }
        return result
    }

    private func module(of address: UInt64) -> Int? {
        var low = 0
        var high = modules.count
        while low < high {
            let middle = (low + high) / 2
            if modules[middle].addresses.lowerBound <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && modules[low - 1].addresses.contains(address) ? low - 1 : nil
    }

    private func frames(_ address: UInt64, _ outcome: SymbolLookup.Outcome) -> [Frame]? {
        guard address > 0, let module = module(of: address - 1) else { return nil }
        let path = modules[module].path
        let query = SymbolLookup.Query(file: module, kind: .code, address: address - 1 &- modules[module].bias)
        guard let answers = outcome.answers[query]?.filter({ !$0.name.isEmpty }), !answers.isEmpty else { return nil }
        return answers.map {
            Frame(function: $0.name, file: $0.file, line: $0.line, module: path, isInlined: $0.isInlined)
        }
    }

    private struct Problem: Error {
        var text: String
    }

    /// A file with this module's build id, the one with the most symbols first.
    private func file(of module: Module) -> Swift.Result<String, Problem> {
        guard module.path.hasPrefix("/") else {
            return .failure(Problem(text: "\(module.path): no file, so no symbols"))
        }
        let name = module.path.split(separator: "/").last.map(String.init) ?? ""
        var candidates = debugFolders.flatMap { ["\($0)/\(name).debug", "\($0)/\(name)"] }
        if let pid { candidates.append("/proc/\(pid)/root\(module.path)") }
        candidates.append(module.path)
        if let pid { candidates.append("/proc/\(pid)/exe") }
        var exists = false
        for candidate in candidates {
            guard let header = ElfFile.header(candidate) else { continue }
            exists = true
            if header.buildID == module.buildID { return .success(candidate) }
        }
        return .failure(
            Problem(
                text: exists
                    ? "\(module.path): the file is another build than the one that runs, so its symbols are not used; "
                        + "keep the old file, or its debug file under /usr/lib/debug/.build-id"
                    : "\(module.path): the file is not there any more, so its functions have no names"))
    }
}

/// Headers of ELF files on disk.
enum ElfFile {
    static func header(_ path: String) -> ElfHeader? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        return ElfHeader { offset, count in
            guard count >= 0, count <= 65_536, offset < UInt64(Int64.max) else { return nil }
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
            }
            return bytes.count == count ? bytes : nil
        }
    }
}
