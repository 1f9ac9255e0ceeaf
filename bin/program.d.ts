export declare const STAMP: string;
export declare function fingerprint(): string;
export declare function isBuilt(): boolean;
export declare function moduleOf(name: string): string;
export declare function mainModule(): string;
