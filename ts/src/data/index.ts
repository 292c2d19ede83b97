// torch.utils.data

export { ConcatDataset, Dataset, IterableDataset, random_split, StackDataset, Subset, TensorDataset } from './dataset.js'
export type { DatasetLike, RandomSplitOptions } from './dataset.js'
export { BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler } from './sampler.js'
export type { BatchSamplerOptions, RandomSamplerOptions, Sized, WeightedRandomSamplerOptions } from './sampler.js'
export { default_collate, default_convert } from './collate.js'
export type { Collated } from './collate.js'
export { DataLoader } from './dataloader.js'
export type { DataLoaderOptions } from './dataloader.js'
