/// Whose code a frame is. A site is named by the first frame of a person's own.
package enum FrameRole: Int, Hashable, Sendable, Comparable {
    /// Code of the person who looks at the profile, as far as anything tells.
    case own
    /// A package or library that the program uses.
    case dependency
    /// The language's and the system's own libraries.
    case runtime
    /// Thunks, witnesses and forwarders made by the compiler.
    case glue
    /// The sampler and functions that do nothing but hand out memory.
    case allocator

    package static func < (left: FrameRole, right: FrameRole) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The rule by which frames are told apart. It looks, in this order, at
/// 1. the file mapped there and the function: the sampler, and functions that hand out memory (`malloc`,
///    `swift_allocObject`, `operator new`, …) are `allocator`;
/// 2. the form of the name: thunks and witnesses are `glue`;
/// 3. the Swift module or C++ namespace in the name, wherever the code ended up (generic code of the standard library is
///    compiled into programs): the language's are `runtime`, known packages are `dependency`;
/// 4. the source file: below a package manager's or a system's folder it is `dependency` or `runtime`;
/// 5. the file mapped there: known runtimes are `runtime`, others from system folders `dependency`.
///
/// All else is `own`, code without symbols too: it is better to show a stranger's frame than to hide one's own.
package struct FrameRules: Hashable, Sendable {
    /// Swift modules that are nobody's own; a name that ends in `*` stands for all that begin so.
    package var dependencyModules: [String]
    /// Swift modules that are own in any case: a person who works on NIO names it here.
    package var ownModules: Set<String>

    package init(
        dependencyModules: [String] = FrameRules.knownPackages, ownModules: Set<String> = []
    ) {
        self.dependencyModules = dependencyModules
        self.ownModules = ownModules
    }

    package func role(of frame: Frame) -> FrameRole {
        role(of: frame, named: FunctionName(frame.function))
    }

    func role(of frame: Frame, named name: FunctionName) -> FrameRole {
        let library = frame.module.split(separator: "/").last ?? ""
        if library.hasPrefix("liboakumheap") || Self.isAllocator(name.normalised) { return .allocator }
        if name.isGlue { return .glue }
        if let module = name.swiftModule {
            if ownModules.contains(module) { return .own }
            if Self.languageModules.contains(module) { return .runtime }
            if dependencyModules.contains(where: { Self.matches(module, $0) }) { return .dependency }
        } else if Self.isLanguageFunction(name.normalised) {
            return .runtime
        }
        if let file = frame.file, let role = Self.role(ofFile: file) { return role }
        if Self.runtimeLibraries.contains(where: library.hasPrefix) { return .runtime }
        let systemFolders = ["/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/", "/opt/"]
        if library.contains(".so"), systemFolders.contains(where: frame.module.hasPrefix) { return .dependency }
        return .own
    }

    private static func matches(_ module: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? module.hasPrefix(pattern.dropLast()) : module == pattern
    }

    /// Folders that say whose a source file is.
    private static func role(ofFile path: String) -> FrameRole? {
        let dependencies = [
            "/checkouts/", "/SourcePackages/", "/.cargo/registry/", "/node_modules/", "/vendor/", "/site-packages/",
            "/usr/src/", "/third_party/",
        ]
        let runtimes = [
            "/usr/include/", "/include/c++/", "/swift/stdlib/", "/stdlib/public/", "/lib/swift/", "/libstdc++-v3/",
            "/rustc/", "/sysdeps/", "/compiler-rt/", "/libcxx/",
        ]
        if runtimes.contains(where: path.contains) { return .runtime }
        return dependencies.contains(where: path.contains) ? .dependency : nil
    }
}

// MARK: - What is known

extension FrameRules {
    private static func isAllocator(_ name: String) -> Bool {
        let functions: Set<String> = [
            "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "posix_memalign", "memalign", "valloc",
            "pvalloc", "xmalloc", "xcalloc", "xrealloc", "__libc_malloc", "__libc_calloc", "__libc_realloc",
            "__GI___libc_malloc", "__libc_memalign", "_Znwm", "_Znam", "swift_allocObject", "_swift_allocObject_",
            "_swift_allocObject", "swift_slowAlloc", "swift_slowAllocTyped", "swift_coroFrameAlloc", "swift_allocBox",
            "swift_allocError", "swift_allocEmptyBox", "swift_bufferAllocate", "swift_task_alloc", "swift_job_allocate",
            "swift_makeBoxUnique", "swift_projectBox", "g_malloc", "g_malloc0", "g_realloc", "__rust_alloc",
            "__rust_realloc", "__rust_alloc_zeroed", "__rdl_alloc",
        ]
        if functions.contains(name) { return true }
        let prefixes = [
            "oakum_heap", "operator new", "swift::swift_slowAlloc", "swift::swift_allocObject", "swift::swift_allocBox",
            "std::allocator<", "std::allocator_traits<", "__gnu_cxx::new_allocator<", "std::__new_allocator<",
            "std::__1::allocator<", "std::__1::allocator_traits<", "alloc::alloc::", "void* std::__1::__libcpp_",
            "(anonymous namespace)::TaskAllocator", "swift::StackAllocator",
        ]
        return prefixes.contains(where: name.hasPrefix)
    }

    private static func isLanguageFunction(_ name: String) -> Bool {
        let functions: Set<String> = [
            "_start", "__libc_start_main", "__libc_start_call_main", "start_thread", "clone", "clone3",
            "_dl_relocate_static_pie", "call_init", "__libc_csu_init",
        ]
        if functions.contains(name) { return true }
        // The return type stands before the name of a C++ template: look at the last word outside brackets too.
        let prefixes = [
            "std::", "__gnu_cxx::", "__cxxabiv1::", "swift::", "swift_", "_swift_", "core::", "alloc::",
            "_dispatch_", "dispatch_", "__libc_", "__pthread",
        ]
        return prefixes.contains(where: name.hasPrefix) || prefixes.contains(where: qualified(name).hasPrefix)
    }

    /// A C++ name without its return type.
    private static func qualified(_ name: String) -> Substring {
        var depth = 0
        var start = name.startIndex
        for index in name.utf8.indices {
            switch name.utf8[index] {
            case UInt8(ascii: "<"): depth += 1
            case UInt8(ascii: ">"): depth -= 1
            case UInt8(ascii: "(") where depth == 0: return name[start...]
            case UInt8(ascii: " ") where depth == 0: start = name.utf8.index(after: index)
            default: break
            }
        }
        return name[start...]
    }

    private static let languageModules: Set<String> = [
        "Swift", "_Concurrency", "_StringProcessing", "_RegexParser", "RegexBuilder", "Synchronization", "Observation",
        "Distributed", "_Differentiation", "Cxx", "CxxStdlib", "SwiftOnoneSupport", "Foundation",
        "FoundationEssentials", "FoundationInternationalization", "FoundationNetworking", "FoundationXML",
        "_FoundationCollections", "Dispatch", "Glibc", "Musl", "Testing", "XCTest", "Runtime", "_Volatile",
    ]

    private static let runtimeLibraries = [
        "libswift", "libFoundation", "lib_Foundation", "libdispatch", "libBlocksRuntime", "libc.so", "libc-",
        "libm.so", "libstdc++", "libc++", "libgcc_s", "ld-linux", "ld-musl", "libpthread", "libdl.so", "librt.so",
        "libunwind", "libTesting", "libXCTest", "[vdso]", "linux-vdso",
    ]

    /// Swift packages that servers commonly use; only their names are known here.
    package static let knownPackages = [
        "NIO*", "_NIO*", "CNIO*", "Hummingbird*", "HTTPTypes", "Logging", "Metrics*", "CoreMetrics", "Prometheus",
        "Tracing*", "Instrumentation", "ServiceContextModule", "ServiceLifecycle", "UnixSignals", "Vapor", "AsyncKit",
        "RoutingKit", "ConsoleKit", "Fluent*", "PostgresNIO", "PostgresKit", "SQLKit", "MySQLNIO", "RediStack",
        "Valkey",
        "AsyncHTTPClient", "Crypto", "_CryptoExtras", "CryptoExtras", "X509", "SwiftASN1", "JWTKit", "GRDB", "SQLite",
        "Collections", "OrderedCollections", "DequeModule", "HashTreeCollections", "HeapModule", "BitCollections",
        "InternalCollectionsUtilities", "Atomics", "Algorithms", "AsyncAlgorithms", "ArgumentParser", "SystemPackage",
        "SwiftProtobuf", "GRPC*", "Yams", "Configuration", "Subprocess", "Lambda*", "AWSLambda*", "Soto*", "OpenAPI*",
        "Histogram", "RealModule", "Numerics",
    ]
}
